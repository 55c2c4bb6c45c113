import math

from hypothesis import given
from hypothesis import strategies as st

from models.policy import Held, Plan, make_room, order

NOW = 1000.0


def held(nbytes: int = 10, *, idle: float = 100.0, load: float = 1.0, **more: bool) -> Held:
    """Return something that was opened long ago and has been idle for so many seconds."""
    return Held(nbytes, load_seconds=load, opened_at=0.0, used_at=NOW - idle, **more)


def test_what_was_used_longest_ago_goes_first() -> None:
    """Of equals, recency decides."""
    one, other = held(idle=100), held(idle=50)
    assert make_room({"one": one, "other": other}, 5, NOW) == Plan(("one",))


def test_what_is_dear_to_load_stays() -> None:
    """Ten times the load is worth ten times the idleness."""
    dear, cheap = held(idle=100, load=4.0), held(idle=50, load=1.0)
    assert make_room({"dear": dear, "cheap": cheap}, 5, NOW) == Plan(("cheap",))


def test_pinned_things_stay() -> None:
    """However idle."""
    assert make_room({"pinned": held(pinned=True)}, 5, NOW) == Plan()


def test_what_is_idle_goes_before_what_is_in_use() -> None:
    """Only when that is not enough, both go."""
    things = {"used": held(idle=0.5, in_use=True), "idle": held(idle=0.1)}
    assert make_room(things, 5, NOW) == Plan(("idle",))
    assert make_room(things, 15, NOW) == Plan(("idle", "used"))


def test_no_more_goes_than_needed() -> None:
    """A small one that was chosen first stays where the large one behind it is enough."""
    things = {"small": held(1, idle=500), "large": held(100, idle=10)}
    assert make_room(things, 50, NOW) == Plan(("large",))


def test_new_thing_is_guarded_for_ten_times_its_load() -> None:
    """Under thrash at most a tenth of the time goes into loading."""
    new = Held(10, load_seconds=2.0, opened_at=NOW - 5, used_at=NOW - 5)
    assert make_room({"new": new}, 5, NOW) == Plan(look_again=NOW + 15)
    assert make_room({"new": new}, 5, NOW + 15) == Plan(("new",))


def test_guard_is_no_longer_than_a_minute() -> None:
    """A model that took long to load does not block others for ever."""
    new = Held(10, load_seconds=300.0, opened_at=NOW, used_at=NOW)
    assert make_room({"new": new}, 5, NOW).look_again == NOW + 60


HELD = st.builds(
    Held,
    nbytes=st.integers(0, 100),
    load_seconds=st.floats(0, 10),
    opened_at=st.floats(900, 1000),
    used_at=st.floats(900, 1000),
    in_use=st.booleans(),
    pinned=st.booleans(),
)


@given(st.dictionaries(st.integers(), HELD), st.integers(1, 500))
def test_nothing_is_closed_in_vain(things: dict[int, Held], need: int) -> None:
    """Either the bytes come together, and not one thing too many; or nothing is closed."""
    plan = make_room(things, need, NOW)

    won = [things[key].nbytes for key in plan.victims]
    assert not any(things[key].pinned for key in plan.victims)
    if won:
        assert sum(won) >= need
        assert all(sum(won) - each < need for each in won)
        assert plan.look_again == math.inf


def test_order_is_that_in_which_things_go() -> None:
    """The least loss first, what is in use last; pinned and guarded things are not in it."""
    things = {
        "used": held(idle=500, in_use=True),
        "pinned": held(pinned=True),
        "guarded": Held(10, load_seconds=2.0, opened_at=NOW - 5, used_at=NOW - 5),
        "recent": held(idle=50),
        "old": held(idle=100),
    }
    assert order(things, NOW) == ["old", "recent", "used"]
