import pytest

from models.identity import ModelId, Tag
from models.routes import Route, Routes
from registry.source import Aliases, Promoted
from registry.syncing.plan import Plan, only, plan, removable

A, B = "a" * 8, "b" * 8


def tag(language: str, version: int, digest: str = A) -> Tag:
    """Return a stored model."""
    return Tag(ModelId(language, version), digest)


def promoted(language: str, version: int, digest: str | None = A * 8) -> Promoted:
    """Return a version that an alias names."""
    return Promoted(ModelId(language, version), digest)


def champion(version: int, digest: str | None = A * 8, language: str = "de") -> Aliases:
    """Return a language that has a champion, and nothing else."""
    return Aliases(champion=promoted(language, version, digest))


def routes(*tags: Tag) -> Routes:
    """Return routes to champions."""
    return Routes(languages={each.model.language: Route(champion=each) for each in tags})


def covers(_: Tag) -> tuple[str, ...]:
    """Every model is for its own language."""
    return ()


def planned(
    aliases: dict[str, Aliases], stored: list[Tag], before: Routes, *lost: str
) -> tuple[list[str], list[str], dict[str, str]]:
    """Return what is fetched, what is here, and who answers, as text."""
    todo = plan(aliases, stored, before, covers, lost)
    answering = {name: str(route.champion) for name, route in todo.routes.languages.items()}
    return [str(each.model) for each in todo.fetch], [str(each) for each in todo.here], answering


@pytest.mark.parametrize(
    ("named", "stored", "before", "expected"),
    [
        (champion(1), [], [], (["sentiment-de:1"], [], {})),
        (champion(1), [tag("de", 1)], [], ([], [tag("de", 1)], {"de": tag("de", 1)})),
        (
            champion(1, None),
            [tag("de", 1, B)],
            [],
            ([], [tag("de", 1, B)], {"de": tag("de", 1, B)}),
        ),
        (
            champion(1),
            [tag("de", 1, B)],
            [tag("de", 1, B)],
            (["sentiment-de:1"], [], {"de": tag("de", 1, B)}),
        ),
        (champion(2), [tag("de", 12)], [], (["sentiment-de:2"], [], {})),
        (
            champion(2),
            [tag("de", 1)],
            [tag("de", 1)],
            (["sentiment-de:2"], [], {"de": tag("de", 1)}),
        ),
        (champion(1), [tag("de", 2), tag("de", 1)], [], ([], [tag("de", 1)], {"de": tag("de", 1)})),
        (Aliases(), [tag("de", 1)], [tag("de", 1)], ([], [], {})),
    ],
)
def test_plan_brings_the_store_to_the_champions(
    named: Aliases,
    stored: list[Tag],
    before: list[Tag],
    expected: tuple[list[str], list[Tag], dict[str, Tag]],
) -> None:
    """Fetch what is missing, route what is here with the right digest, else keep the route."""
    fetch, here, answering = expected
    spelled = {language: str(each) for language, each in answering.items()}

    found = planned({"de": named}, stored, routes(*before))

    assert found == (fetch, list(map(str, here)), spelled)


def test_other_languages_do_not_matter() -> None:
    """Each language has its own route; one that the registry does not know loses it."""
    aliases = {"de": champion(2), "nl": champion(1, language="nl")}

    found = planned(aliases, [tag("nl", 1), tag("de", 1)], routes(tag("de", 1), tag("th", 1)))

    assert found == (
        ["sentiment-de:2"],
        [str(tag("nl", 1))],
        {"de": str(tag("de", 1)), "nl": str(tag("nl", 1))},
    )


def test_a_version_deleted_under_its_alias_keeps_its_route() -> None:
    """The language is lost to the registry, not given up by a person."""
    assert planned({}, [tag("de", 1)], routes(tag("de", 1)), "de")[2] == {"de": str(tag("de", 1))}


def test_champions_come_first_then_challengers_then_what_may_be_next() -> None:
    """What people wait for is not behind what may never be promoted."""
    aliases = {
        "de": Aliases(promoted("de", 1), promoted("de", 2), newest=promoted("de", 3)),
        "nl": Aliases(promoted("nl", 1), newest=promoted("nl", 1)),
        "th": Aliases(newest=promoted("th", 1)),
    }

    assert planned(aliases, [], Routes())[0] == [
        "sentiment-de:1",
        "sentiment-nl:1",
        "sentiment-de:2",
        "sentiment-de:3",
        "sentiment-th:1",
    ]


@pytest.mark.parametrize(("asked", "first"), [([], []), (["de"], ["sentiment-de:1"])])
def test_only_what_is_asked_for_or_served_is_fetched(asked: list[str], first: list[str]) -> None:
    """A language that is here is followed as ever, and so is the order."""
    aliases = {
        "de": champion(1),
        "fr": champion(1, language="fr"),
        "nl": Aliases(promoted("nl", 2), promoted("nl", 3), newest=promoted("nl", 4)),
        "th": Aliases(promoted("th", 1), promoted("th", 2)),
    }
    todo = plan(aliases, [tag("nl", 1), tag("th", 1)], routes(tag("nl", 1)), covers)

    found = only(todo, asked)

    followed = ["sentiment-nl:2", "sentiment-nl:3", "sentiment-th:2", "sentiment-nl:4"]
    assert [str(each.model) for each in found.fetch] == [*first, *followed]
    assert (found.here, found.routes) == (todo.here, todo.routes)


def test_what_is_older_than_the_champion_is_not_staged() -> None:
    """After a rollback the version that was taken back is here already, or not wanted."""
    aliases = {"de": Aliases(promoted("de", 3), newest=promoted("de", 2))}

    assert planned(aliases, [tag("de", 3)], Routes())[0] == []


def test_a_challenger_gets_its_share_once_it_is_here() -> None:
    """Before that the champion answers all; a champion does not challenge itself."""
    named = Aliases(promoted("de", 1), promoted("de", 2), share=0.1, shadow=True)
    alone = Route(champion=tag("de", 1))
    both = Route(champion=tag("de", 1), challenger=tag("de", 2), share=0.1, shadow=True)

    def route(named: Aliases, *stored: Tag) -> Route:
        return plan({"de": named}, stored, Routes(), covers).routes.languages["de"]

    assert route(named, tag("de", 1)) == alone
    assert route(named, tag("de", 1), tag("de", 2)) == both
    assert route(Aliases(promoted("de", 1), promoted("de", 1), share=1.0), tag("de", 1)) == alone


def test_a_share_waits_for_the_challenger_that_it_is_for() -> None:
    """Half of the requests are meant for version 4: version 3 keeps its hundredth meanwhile."""
    before = Routes(
        languages={"de": Route(champion=tag("de", 1), challenger=tag("de", 3), share=0.01)}
    )
    named = Aliases(promoted("de", 1), promoted("de", 4), share=0.5, shadow=True)

    todo = plan({"de": named}, [tag("de", 1), tag("de", 3)], before, covers)

    assert todo.routes == before


def test_the_same_input_gives_the_same_plan() -> None:
    """In whatever order the store and the registry list things."""
    aliases = {"nl": champion(1, language="nl"), "de": champion(2)}
    turned = dict(reversed(aliases.items()))
    stored = [tag("de", 2), tag("nl", 1)]

    one = plan(aliases, stored, Routes(), covers)

    assert one == plan(turned, stored[::-1], Routes(), covers)
    assert isinstance(one, Plan)


def test_only_what_nobody_needs_is_removable() -> None:
    """What is wanted or routed stays, and the step back."""
    stored = [tag("de", version) for version in (1, 2, 3, 4)]

    found = removable(stored, keep=[tag("de", 4)], previous=[ModelId("de", 2)])

    assert found == (tag("de", 1), tag("de", 3))
