import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from models.coming import Coming
from models.errors import RegistryUnavailable
from models.identity import ModelId
from models.manifest import WEIGHTS
from models.routes import Routes
from models.store import Store
from registry.promote import promote
from registry.source import Registered
from registry.syncing.sync import Sync
from registry.syncing.telemetry import Telemetry
from registry.syncing.watch import LONGEST_WAIT, WISH_SECONDS, Watch, backoff
from tests.fakes_registry import FakeRegistry
from tests.tiny import write_tiny

PATIENCE = 20.0
SECONDS = 5.0


@pytest.fixture
def watch(registry: FakeRegistry, store: Store) -> Watch:
    """Return a watch that would look again after minutes."""
    return Watch(Sync(registry, store), 300.0, Telemetry(store))


@pytest.fixture
def register(registry: FakeRegistry, tmp_path: Path) -> Callable[..., Registered]:
    """Return a function that registers a tiny model."""

    def make(language: str = "de", sure: float = 2.0) -> Registered:
        folder = tmp_path / "made" / f"{language}-{sure}"
        return registry.register(folder, write_tiny(folder, language, sure=sure))

    return make


def answering(store: Store) -> dict[str, int]:
    """Return language -> version."""
    found = Routes.read(store.routes).languages
    return {language: route.champion.model.version for language, route in found.items()}


def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.01)


def test_a_nudge_is_followed_at_once(
    watch: Watch, registry: FakeRegistry, store: Store, register: Callable[..., Registered]
) -> None:
    """What is new is fetched before anyone promotes it; a promotion then moves a route only."""
    register()
    register(sure=3.0)
    promote(registry, "de", 1)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        until(lambda: {model.version for model in registry.downloads} == {1, 2})
        until(lambda: answering(store) == {"de": 1})
        until(lambda: (ModelId("de", 2), "staged", "") in registry.reports)
        promote(registry, "de", 2)

        watch.nudge()

        until(lambda: answering(store) == {"de": 2})
        assert len(registry.downloads) == 2
    finally:
        watch.stop()
        thread.join()


def test_a_promotion_does_not_wait_for_a_download(
    watch: Watch, registry: FakeRegistry, store: Store, register: Callable[..., Registered]
) -> None:
    """While one language's weights trickle in, another's route moves."""
    slow, trickles = register("nl").model, threading.Event()

    def trickle(_: Path) -> None:
        trickles.wait(PATIENCE)

    registry.damage[slow] = trickle
    register()
    promote(registry, "nl")
    promote(registry, "de")
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        until(lambda: slow in registry.downloads)
        until(lambda: answering(store) == {"de": 1})
        trickles.set()
        until(lambda: answering(store) == {"de": 1, "nl": 1})
    finally:
        trickles.set()
        watch.stop()
        thread.join()


def test_a_version_that_failed_rests(
    watch: Watch, registry: FakeRegistry, register: Callable[..., Registered]
) -> None:
    """It is not fetched again at each look; the next version of the language is."""
    bad = register().model

    def cut(_: Path) -> None:
        message = "the connection was cut"
        raise RegistryUnavailable(message)

    registry.damage[bad] = cut
    promote(registry, "de")
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        until(lambda: watch.rests(bad))
        for _ in range(5):
            watch.nudge()
            time.sleep(0.02)
        register(sure=3.0)
        promote(registry, "de")
        watch.nudge()
        until(lambda: answering(watch.sync.store) == {"de": 2})
    finally:
        watch.stop()
        thread.join()

    assert registry.downloads.count(bad) == 1
    assert (bad, "failed", "the connection was cut") in registry.reports
    assert b'polysent_sync_failures_total{language="de",reason="registry_unavailable"} 1.0' in (
        watch.telemetry.metrics()
    )


def looks(watch: Watch) -> float:
    """Return how often the registry was looked at."""
    lines = watch.telemetry.metrics().decode().splitlines()
    found = [line for line in lines if line.startswith("polysent_sync_looks_total{")]
    return sum(float(line.split()[-1]) for line in found)


def test_a_wish_is_followed_at_once(
    watch: Watch, registry: FakeRegistry, store: Store, register: Callable[..., Registered]
) -> None:
    """Minutes before the next look; what nobody wishes for is left alone."""
    watch.sync.unasked = frozenset()
    for language in ("de", "nl"):
        register(language)
        promote(registry, language)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        until(lambda: Coming(store).versions() == {"de": 1, "nl": 1})
        began = time.monotonic()
        Coming(store).ask("nl")
        until(lambda: registry.downloads == [ModelId("nl", 1)])
        took = time.monotonic() - began
        until(lambda: answering(store) == {"nl": 1})
    finally:
        watch.stop()
        thread.join()

    assert took < 2 * WISH_SECONDS
    assert registry.downloads == [ModelId("nl", 1)]


def test_a_wish_that_fails_is_kept_and_brings_one_look(
    watch: Watch, registry: FakeRegistry, store: Store, register: Callable[..., Registered]
) -> None:
    """While the registry is away as well as while a version rests."""
    watch.sync.unasked = frozenset()
    bad = register().model
    promote(registry, "de")
    registry.damage[bad] = lambda folder: (folder / WEIGHTS).unlink()
    registry.away = True
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        until(lambda: looks(watch) == 1)
        Coming(store).ask("de")
        until(lambda: looks(watch) == 2)
        time.sleep(3 * WISH_SECONDS)
        while_away = looks(watch)
        registry.away = False
        watch.nudge()
        until(lambda: watch.rests(bad))
        until(lambda: looks(watch) == 4)
        time.sleep(3 * WISH_SECONDS)
    finally:
        watch.stop()
        thread.join()

    assert (while_away, looks(watch)) == (2, 4)
    assert registry.downloads == [bad]
    assert Coming(store).asked() == {"de"}


def test_a_registry_that_is_away_is_asked_less_and_less(
    watch: Watch, registry: FakeRegistry, store: Store, register: Callable[..., Registered]
) -> None:
    """Never more than a minute apart, and as before once it answers again."""
    watch.seconds = SECONDS
    register()
    promote(registry, "de")
    assert watch.look() is not None
    registry.away = True

    pauses = [watch.pause() for _ in range(8) if watch.look() is None]

    assert pauses[0] > SECONDS
    assert all(pause <= LONGEST_WAIT for pause in pauses)
    assert pauses[-1] >= 0.8 * LONGEST_WAIT
    registry.away = False
    assert watch.look() is not None
    assert watch.pause() == SECONDS
    metrics = watch.telemetry.metrics()
    assert b'polysent_sync_looks_total{outcome="registry_unavailable"} 8.0' in metrics
    assert (store.home / "polysent" / "sync.json").is_file()


def test_waits_end_at_their_limit_however_long_it_lasts() -> None:
    """A weekend without MLflow is a thousand looks."""
    assert [backoff(5.0, times, 60.0) for times in (0, 1, 5, 5000)] == [5.0, 10.0, 60.0, 60.0]


def test_webhooks_are_asked_for_again_when_the_registry_comes_back(
    watch: Watch, registry: FakeRegistry, register: Callable[..., Registered]
) -> None:
    """They may be lost with it, or never have been had."""
    asked: list[int] = []
    watch.seconds = 0.02
    watch.subscribe = lambda: asked.append(1)
    register()
    registry.away = True
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        time.sleep(0.1)
        assert not asked
        registry.away = False
        until(lambda: len(asked) == 1)
        registry.away = True
        until(lambda: watch._away > 0)
        registry.away = False
        until(lambda: len(asked) == 2)
    finally:
        watch.stop()
        thread.join()


def test_a_look_that_breaks_does_not_end_the_watch(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync that has ended can't be nudged."""

    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Sync, "look", broken)

    assert watch.look() is None
    assert b'polysent_sync_looks_total{outcome="internal"} 1.0' in watch.telemetry.metrics()
