from collections.abc import Callable
from pathlib import Path

import pytest

from models.coming import Coming, Missing
from models.identity import ModelId
from models.languages import MULTILINGUAL
from models.manifest import WEIGHTS
from models.routes import Routes
from models.settings import Fetch, Settings
from models.store import Store
from registry.promote import promote
from registry.source import Promoted
from registry.syncing.arrivals import asked_first
from registry.syncing.sync import Sync, sync
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


def fetched(registry: FakeRegistry) -> list[str]:
    """Return the versions that were fetched since the last question."""
    found = sorted(map(str, registry.downloads))
    registry.downloads.clear()
    return found


@pytest.fixture
def asked_only(registry: FakeRegistry, store: Store) -> Callable[[], list[str]]:
    """Return a function that syncs what was asked for, where it is pinned; returns what it was."""

    def run() -> list[str]:
        sync(registry, store, unasked=frozenset({"it", MULTILINGUAL}))
        return fetched(registry)

    return run


def test_what_nobody_asks_for_stays_where_it_is(
    registry: FakeRegistry,
    store: Store,
    champion: Callable[[str], Promoted],
    asked_only: Callable[[], list[str]],
) -> None:
    """But what is pinned, and the model that answers meanwhile; then what is wished for."""
    for language in ("de", "fr", "it", "mul"):
        champion(language)
    coming = Coming(store)

    first = asked_only()
    coming.ask("fr")
    second, third = asked_only(), asked_only()

    assert first == ["sentiment-it:1", "sentiment-mul:1"]
    assert (second, third) == (["sentiment-fr:1"], [])
    assert coming.missing() == Missing(on_request={"de": 1})
    assert not coming.asked()
    assert [str(each.model) for each in Sync(registry, store).preview().fetch] == ["sentiment-de:1"]


def test_what_is_to_come_is_told_before_it_is_asked_for(
    registry: FakeRegistry, store: Store, champion: Callable[[str], Promoted]
) -> None:
    """Apart from what comes anyway, whatever was wished for: a start waits for that alone."""
    for language in ("de", "fr", "mul"):
        champion(language)
    coming = Coming(store)
    coming.ask("fr")

    Sync(registry, store, unasked=frozenset({MULTILINGUAL})).look()

    assert coming.missing() == Missing(unasked={"mul": 1}, on_request={"de": 1, "fr": 1})


def test_language_that_is_here_is_followed_without_a_wish(
    registry: FakeRegistry,
    store: Store,
    tmp_path: Path,
    champion: Callable[[str], Promoted],
    asked_only: Callable[[], list[str]],
) -> None:
    """Its next version before it is promoted, the others not even then."""
    champion("de")
    champion("fr")
    Coming(store).ask("de")
    asked_only()
    for language in ("de", "fr"):
        folder = tmp_path / "next" / language
        registry.register(folder, write_tiny(folder, language, sure=3.0))

    staged = asked_only()
    for language in ("de", "fr"):
        promote(registry, language)
    promoted = asked_only()

    assert (staged, promoted) == (["sentiment-de:2"], [])
    (route,) = Routes.read(store.routes).languages.values()
    assert route.champion.model == ModelId("de", 2)


def test_wish_outlives_a_fetch_that_failed(
    registry: FakeRegistry,
    store: Store,
    champion: Callable[[str], Promoted],
    asked_only: Callable[[], list[str]],
) -> None:
    """The next version of the language fulfils it."""
    bad = champion("de").model
    registry.damage[bad] = lambda folder: (folder / WEIGHTS).unlink()
    Coming(store).ask("de")

    failed = asked_only()
    kept = Coming(store).asked()
    del registry.damage[bad]

    assert kept == {"de"}
    assert failed == asked_only() == ["sentiment-de:1"]


def test_wish_for_what_has_no_champion_fetches_nothing(
    registry: FakeRegistry, store: Store, tmp_path: Path, asked_only: Callable[[], list[str]]
) -> None:
    """What was staged for a language is not what somebody waits for."""
    registry.register(tmp_path / "de", write_tiny(tmp_path / "de", "de"))
    Coming(store).ask("de")

    assert asked_only() == []
    assert not Coming(store).asked()


@pytest.mark.parametrize(
    ("said", "unasked"), [("all", None), ("asked", frozenset({"de", "pt-BR", MULTILINGUAL}))]
)
def test_pins_are_not_asked_for(said: Fetch, unasked: frozenset[str] | None) -> None:
    """They are part of what a service waits for."""
    assert Settings(sync_fetch=said, pin=("de", "pt-br")).unasked == unasked


def test_only_the_champion_goes_before_others() -> None:
    """Not the challenger of the same language, and the rest keeps its order."""
    fetch = [Promoted(ModelId(*each), None) for each in [("de", 1), ("fr", 2), ("fr", 3)]]

    ordered = asked_first(fetch, {ModelId("fr", 2)})

    assert [str(promoted.model) for promoted in ordered] == [
        *("sentiment-fr:2", "sentiment-de:1", "sentiment-fr:3")
    ]
