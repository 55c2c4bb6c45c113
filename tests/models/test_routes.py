from pathlib import Path

from models.identity import ModelId, Tag
from models.routes import Route, WatchedRoutes
from models.store import Store
from tests.tiny import write_routes

FIRST = Route(champion=Tag(ModelId("de", 1), "00000001"))
SECOND = Route(champion=Tag(ModelId("de", 2), "00000002"))


def test_no_file_means_no_routes(tmp_path: Path) -> None:
    """A store that no sync has written to serves nothing, and that is no error."""
    assert WatchedRoutes(Store(tmp_path).routes).look() == {}


def test_replaced_file_is_seen_at_the_next_look(tmp_path: Path) -> None:
    """A promotion needs no restart."""
    store = Store(tmp_path)
    write_routes(store, {"de": FIRST})
    routes = WatchedRoutes(store.routes)
    assert routes.look()["de"] == FIRST

    write_routes(store, {"de": SECOND})

    assert routes.look()["de"] == SECOND


def test_look_that_finds_nothing_new_returns_the_same(tmp_path: Path) -> None:
    """Whoever follows the routes sees by identity that there is nothing to do."""
    store = Store(tmp_path)
    write_routes(store, {"de": FIRST})
    routes = WatchedRoutes(store.routes)

    assert routes.look() is routes.look()


def test_file_that_can_not_be_read_leaves_the_last_good_routes(tmp_path: Path) -> None:
    """Nothing that lands in the file stops the answers."""
    store = Store(tmp_path)
    write_routes(store, {"de": FIRST})
    routes = WatchedRoutes(store.routes)
    routes.look()

    store.routes.write_text('{"languages": {"de": {"champion": "../../etc"}}}')

    assert routes.look() == {"de": FIRST}


def test_look_that_fails_is_repeated(tmp_path: Path) -> None:
    """A disk that gives up for a moment costs no promotion."""
    store = Store(tmp_path)
    routes = WatchedRoutes(store.routes)
    store.routes.mkdir(parents=True)
    assert routes.look() == {}

    store.routes.rmdir()
    write_routes(store, {"de": FIRST})

    assert routes.look() == {"de": FIRST}
