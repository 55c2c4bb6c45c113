import json
import time
from pathlib import Path

import pytest

from models.coming import Coming, Missing
from models.store import Store
from serving.arrival import Arrival

SECONDS = 60


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    (tmp_path / "polysent").mkdir()
    return Store(tmp_path)


@pytest.fixture
def arrived(store: Store) -> Arrival:
    """Return one whose service has started a while ago."""
    clock = Clock()
    made = Arrival(store, SECONDS, clock)
    clock.now = SECONDS / 2
    return made


def say(
    store: Store,
    coming: dict[str, int],
    failing: dict[str, str],
    age: float = 0.0,
    on_request: dict[str, int] | None = None,
) -> None:
    """Write what a sync writes after a look, so many seconds ago."""
    missing = Missing(unasked=coming, on_request=on_request or {})
    Coming(store).path.write_text(missing.model_dump_json())
    place = store.home / "polysent" / "sync.json"
    place.write_text(json.dumps({"at": time.time() - age, "failing": failing}))


def test_nothing_is_complete_before_the_sync_has_looked(store: Store, arrived: Arrival) -> None:
    """An empty disk says nothing of the registry, and neither does one of a run before."""
    assert not arrived()
    say(store, {}, {}, age=SECONDS)
    assert not arrived()


def test_champions_are_waited_for_once(store: Store, arrived: Arrival) -> None:
    """A language that is promoted later makes no replica unready."""
    say(store, {"de": 1}, {})
    before = arrived()
    say(store, {}, {})
    after = arrived()
    say(store, {"fr": 1}, {})

    assert (before, after, arrived()) == (False, True, True)


def test_what_can_not_be_brought_is_not_waited_for(store: Store, arrived: Arrival) -> None:
    """One broken version must not keep a replica from serving the others."""
    say(store, {"de": 2, "fr": 1}, {"sentiment-de:1": "an older one", "sentiment-fr:1": "corrupt"})
    before = arrived()
    say(store, {"de": 2, "fr": 1}, {"sentiment-de:2": "corrupt", "sentiment-fr:1": "corrupt"})

    assert (before, arrived()) == (False, True)


def test_what_waits_to_be_asked_for_is_not_waited_for(store: Store, arrived: Arrival) -> None:
    """Nobody could ask for it before the replica is ready."""
    say(store, {"mul": 1}, {}, on_request={"de": 1, "fr": 1})
    before = arrived()
    say(store, {}, {}, on_request={"de": 1, "fr": 1})

    assert (before, arrived()) == (False, True)


def test_waiting_ends(store: Store) -> None:
    """A registry that is away must not, either."""
    clock = Clock()
    arrived = Arrival(store, SECONDS, clock)
    clock.now = SECONDS - 1
    before = arrived()
    clock.now = SECONDS

    assert (before, arrived()) == (False, True)


def test_service_without_an_embedded_sync_waits_for_nothing(store: Store) -> None:
    """Another program brings its models, before or after."""
    assert Arrival(store, 0)()
