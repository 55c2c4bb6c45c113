import pytest

from models.identity import ModelId, Tag
from models.routes import Route
from serving.succession import Way, agreed, successor, way


def tag(version: int) -> Tag:
    """Return a version of the German model."""
    return Tag(ModelId("de", version), f"{version:08d}")


V1, V2, V3 = tag(1), tag(2), tag(3)
ONE = Route(champion=V1, covers=("de",))
TWO = Route(champion=V2, covers=("gsw",))
TENTH = Route(champion=V1, challenger=V2, share=0.1)
SHADOW = Route(champion=V1, challenger=V2, shadow=True)
IDLE = Route(champion=V1, challenger=V2)


@pytest.mark.parametrize(
    ("now", "wanted", "ready", "holds"),
    [
        (None, ONE, None, ONE),
        (None, TENTH, None, Route(champion=V1)),
        (ONE, TWO, None, ONE),
        (ONE, TWO, V2, TWO),
        (ONE, TENTH, None, Route(champion=V1)),
        (ONE, TENTH, V2, TENTH),
        (TENTH, SHADOW, None, SHADOW),
        (TENTH, IDLE, None, Route(champion=V1)),
        (TENTH, TWO, None, Route(champion=V1)),
        (TENTH, Route(champion=V2, challenger=V1, share=0.1), V2, Route(champion=V2)),
        (TENTH, Route(champion=V3, challenger=V2, share=0.5), None, TENTH),
    ],
)
def test_no_version_holds_before_it_can_answer(
    now: Route | None, wanted: Route, ready: Tag | None, holds: Route
) -> None:
    """What needs no new version holds at once: a share, the shadow, a challenger that goes."""
    found = agreed(now, wanted, ready)

    assert (found.champion, found.challenger) == (holds.champion, holds.challenger)
    if found.champion == wanted.champion:
        assert found.covers == wanted.covers
    if found.challenger:
        assert (found.share, found.shadow) == (wanted.share, wanted.shadow)


@pytest.mark.parametrize(
    ("now", "wanted", "following"),
    [
        (None, ONE, V1),
        (ONE, ONE, None),
        (ONE, TWO, V2),
        (ONE, IDLE, None),
        (ONE, TENTH, V2),
        (ONE, SHADOW, V2),
        (TENTH, TENTH, None),
        (ONE, Route(champion=V2, challenger=V3, share=0.1), V2),
        (TWO, Route(champion=V2, challenger=V3, share=0.1), V3),
        (ONE, Route(champion=V1, challenger=V1, share=0.1), None),
    ],
)
def test_champion_comes_before_its_challenger(
    now: Route | None, wanted: Route, following: Tag | None
) -> None:
    """A challenger with nothing to do, or that is the champion, does not come at all."""
    assert successor(now, wanted) == following


@pytest.mark.parametrize(
    ("old", "room", "expected"),
    [(None, 100, "cold"), (100, 200, "warm"), (100, 199, "gap")],
)
def test_way_is_decided_by_what_fits(old: int | None, room: int, expected: Way) -> None:
    """Beside what is in memory, after it, or at once where nothing is."""
    assert way(100, old, room) == expected
