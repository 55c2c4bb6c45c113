from collections.abc import Callable
from pathlib import Path

import pytest

from models.coming import Coming
from models.identity import ModelId
from models.store import Store
from registry.promote import promote
from registry.source import Promoted
from registry.syncing.arrivals import asked_first
from registry.syncing.sync import Sync
from tests.fakes_registry import FakeRegistry
from tests.tiny import write_tiny


@pytest.fixture
def champion(registry: FakeRegistry, tmp_path: Path) -> Callable[[str], Promoted]:
    """Return a function that registers and promotes a tiny model."""

    def make(language: str) -> Promoted:
        folder = tmp_path / "made" / language
        done = registry.register(folder, write_tiny(folder, language))
        promote(registry, language)
        return Promoted(done.model, done.digest)

    return make


def test_champions_that_are_not_here_are_said_to_come(
    registry: FakeRegistry, store: Store, champion: Callable[[str], Promoted]
) -> None:
    """Until they have been routed for a look; what nobody has promoted is not coming."""
    german, _ = champion("de"), champion("fr")
    folder = store.home / "spare"
    registry.register(folder, write_tiny(folder, "it"))
    sync, coming = Sync(registry, store), Coming(store)

    sync.look()
    before = coming.versions()
    sync.fetch(german)
    sync.look()
    just_routed = coming.versions()
    sync.look()

    assert before == just_routed == {"de": 1, "fr": 1}
    assert coming.versions() == {"fr": 1}


def test_language_that_somebody_waits_for_is_brought_first(
    registry: FakeRegistry, store: Store, champion: Callable[[str], Promoted]
) -> None:
    """The wish ends with its fulfilment."""
    champion("de")
    champion("en")
    french = champion("fr")
    sync, coming = Sync(registry, store), Coming(store)
    order = [promoted.model.language for promoted in sync.look().plan.fetch]
    coming.ask("fr")

    wished = [promoted.model.language for promoted in sync.look().plan.fetch]
    sync.fetch(french)
    sync.look()
    sync.look()

    assert (order, wished) == (["de", "en", "fr"], ["fr", "de", "en"])
    assert not coming.asked()


def test_alias_that_is_taken_away_ends_the_wait(
    registry: FakeRegistry, store: Store, champion: Callable[[str], Promoted]
) -> None:
    """The language is then none of ours, and the wish for it is dropped."""
    champion("de")
    sync, coming = Sync(registry, store), Coming(store)
    sync.look()
    coming.ask("de")

    registry.withdraw("de", "champion")
    sync.look()

    assert not coming.versions()
    assert not coming.asked()


def test_only_the_champion_goes_before_others() -> None:
    """Not the challenger of the same language, and the rest keeps its order."""
    fetch = [Promoted(ModelId(*each), None) for each in [("de", 1), ("fr", 2), ("fr", 3)]]

    ordered = asked_first(fetch, {ModelId("fr", 2)})

    assert [str(promoted.model) for promoted in ordered] == [
        *("sentiment-fr:2", "sentiment-de:1", "sentiment-fr:3")
    ]
