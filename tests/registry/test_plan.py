import pytest

from models.identity import ModelId, Tag
from models.routes import Route, Routes
from registry.plan import Plan, plan, routes_after
from registry.source import Promoted

A, B = "a" * 8, "b" * 8


def tag(language: str, version: int, digest: str = A) -> Tag:
    """Return a stored model."""
    return Tag(ModelId(language, version), digest)


def promoted(language: str, version: int, digest: str | None = A * 8) -> Promoted:
    """Return a champion."""
    return Promoted(ModelId(language, version), digest)


@pytest.mark.parametrize(
    ("champions", "stored", "routed", "expected"),
    [
        ([], [], [], Plan()),
        ([promoted("de", 1)], [], [], Plan(pull=(promoted("de", 1),))),
        ([promoted("de", 1)], [tag("de", 1)], ["de"], Plan(keep=(tag("de", 1),))),
        ([promoted("de", 1)], [tag("de", 1)], [], Plan(keep=(tag("de", 1),))),
        ([promoted("de", 1, None)], [tag("de", 1, B)], ["de"], Plan(keep=(tag("de", 1, B),))),
        ([promoted("de", 1)], [tag("de", 1, B)], ["de"], Plan(pull=(promoted("de", 1),))),
        ([promoted("de", 2)], [tag("de", 12)], ["de"], Plan(pull=(promoted("de", 2),))),
        ([promoted("de", 1)], [tag("de", 2), tag("de", 1)], [], Plan(keep=(tag("de", 1),))),
        ([], [tag("de", 1)], ["de"], Plan(unroute=("de",))),
        (
            [promoted("nl", 1), promoted("de", 2)],
            [tag("nl", 1), tag("de", 1)],
            ["de", "th"],
            Plan(pull=(promoted("de", 2),), keep=(tag("nl", 1),), unroute=("th",)),
        ),
    ],
)
def test_plan_brings_the_store_to_the_champions(
    champions: list[Promoted], stored: list[Tag], routed: list[str], expected: Plan
) -> None:
    """Pull what is missing, keep what is here with the right digest, unroute the rest."""
    wanted = {champion.model.language: champion for champion in champions}

    assert plan(wanted, stored, routed) == expected


def test_routes_move_only_for_what_is_ready() -> None:
    """A language whose new champion did not arrive keeps its route; one without alias loses it."""
    before = Routes(languages={name: Route(champion=tag(name, 1)) for name in ("de", "nl", "th")})

    after = routes_after(before, ["th"], {"de": Route(champion=tag("de", 2))})

    assert after.languages == {"de": Route(champion=tag("de", 2)), "nl": before.languages["nl"]}


def test_what_stands_beside_a_champion_stays() -> None:
    """A sync moves champions; challenger, share and shadow are another command's."""
    canary = Route(champion=tag("de", 1), challenger=tag("de", 3), share=0.1, shadow=True)

    after = routes_after(
        Routes(languages={"de": canary}), [], {"de": Route(champion=tag("de", 2), covers=("gsw",))}
    )

    assert after.languages["de"] == canary.model_copy(
        update={"champion": tag("de", 2), "covers": ("gsw",)}
    )
