from pathlib import Path

from models.identity import ModelId, Tag
from models.routes import Route, WatchedRoutes
from models.store import Store
from tests.tiny import write_routes

FIRST = Route(champion=Tag(ModelId("de", 1), "00000001"))
SECOND = Route(champion=Tag(ModelId("de", 2), "00000002"))


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def watch(store: Store) -> tuple[WatchedRoutes, Clock]:
    """Return watched routes and their clock."""
    clock = Clock()
    return WatchedRoutes(store.routes, clock=clock), clock


def test_no_file_means_no_routes(tmp_path: Path) -> None:
    """A store that no sync has written to serves nothing, and that is no error."""
    routes, _ = watch(Store(tmp_path))

    assert dict(routes()) == {}


def test_replaced_file_is_seen_within_a_quarter_of_a_second(tmp_path: Path) -> None:
    """A promotion needs no restart."""
    store = Store(tmp_path)
    write_routes(store, {"de": FIRST})
    routes, clock = watch(store)
    assert routes()["de"] == FIRST

    write_routes(store, {"de": SECOND})
    clock.now += 0.25

    assert routes()["de"] == SECOND


def test_file_that_can_not_be_read_leaves_the_last_good_routes(tmp_path: Path) -> None:
    """Nothing that lands in the file stops the answers."""
    store = Store(tmp_path)
    write_routes(store, {"de": FIRST})
    routes, clock = watch(store)
    routes()

    store.routes.write_text('{"languages": {"de": {"champion": "../../etc"}}}')
    clock.now += 1

    assert dict(routes()) == {"de": FIRST}


def test_look_that_fails_is_repeated(tmp_path: Path) -> None:
    """A disk that gives up for a moment costs no promotion."""
    store = Store(tmp_path)
    routes, clock = watch(store)
    store.routes.mkdir(parents=True)
    assert dict(routes()) == {}

    store.routes.rmdir()
    write_routes(store, {"de": FIRST})
    clock.now += 1

    assert dict(routes()) == {"de": FIRST}


def test_change_is_told_once(tmp_path: Path) -> None:
    """Whoever depends on the routes hears of each new set, and only then."""
    store = Store(tmp_path)
    write_routes(store, {"de": FIRST})
    heard: list[list[str]] = []
    clock = Clock()
    routes = WatchedRoutes(store.routes, lambda new: heard.append(list(new)), clock)

    for _ in range(3):
        routes()
        clock.now += 1

    assert heard == [["de"]]
