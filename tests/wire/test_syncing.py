"""The sync as the program that it is, beside a real MLflow server and a real service."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from cli import servers
from cli.processes import Child
from models.identity import ModelId
from models.manifest import WEIGHTS, File, Manifest
from models.routes import Routes
from models.settings import Settings
from models.store import Store
from registry.mlflow.source import MLflowRegistry
from registry.promote import promote
from registry.syncing.journal import Journal
from registry.syncing.sync import sync
from tests.tiny import write_tiny
from tests.wire.conftest import free_port, mlflow_server, running, serving, wait_until_ready
from tests.wire.cut import cutting

pytestmark = [
    pytest.mark.wire,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves sockets to the collector
]
PATIENCE = 60.0
LARGE = 4 * 2**20
"""Bytes of weights that are worth cutting."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return where this module's servers are."""
    return Settings(
        home=tmp_path_factory.mktemp("syncing"),
        mlflow_uri=f"http://127.0.0.1:{free_port()}",
        sync_url=f"http://127.0.0.1:{free_port()}",
        sync_seconds=0.5,
    )


@pytest.fixture(scope="module")
def mlflow(settings: Settings) -> Iterator[Child]:
    """Return a real MLflow server."""
    with mlflow_server(settings) as child:
        yield child


@pytest.fixture
def registry(mlflow: Child, settings: Settings) -> MLflowRegistry:
    """Return that server's registry."""
    assert mlflow.running
    return MLflowRegistry(settings.mlflow_uri)


@contextmanager
def syncing(settings: Settings, store: Store) -> Iterator[Child]:
    """Run `polysent registry sync --watch`."""
    child = servers.syncer(settings)
    child.folder = servers.PROJECT
    child.environment = {
        **child.environment,
        "BENTOML_HOME": str(store.home),
        "POLYSENT_HOME": str(settings.home),
        "POLYSENT_MLFLOW_URI": settings.mlflow_uri,
        "POLYSENT_SYNC_URL": settings.sync_url,
        "POLYSENT_SYNC_SECONDS": str(settings.sync_seconds),
    }
    with running(child, f"{settings.sync_url}/livez"):
        yield child


def put(registry: MLflowRegistry, folder: Path, language: str, sure: float = 2.0) -> ModelId:
    """Register a tiny artifact."""
    return registry.register(folder, write_tiny(folder, language, sure=sure)).model


def answering(store: Store, language: str) -> int:
    """Return the version that a language is routed to; 0 without a route."""
    route = Routes.read(store.routes).languages.get(language)
    return route.champion.model.version if route else 0


def until(true: Callable[[], bool], child: Child) -> None:
    """Wait for something to become true; fail with the last words of a program."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, child.last_words(40)
        time.sleep(0.05)


@contextmanager
def asked(url: str, language: str) -> Iterator[list[tuple[int, float]]]:
    """Ask ten times a second meanwhile; yields the versions and scores that answered."""
    answers: list[tuple[int, float]] = []
    over = threading.Event()

    def run() -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
            while not over.wait(0.1):
                question = {"text": f"good film {len(answers)}", "language": language}
                answer = client.post("/predict", json=question)
                said = answer.json() if answer.status_code == 200 else None
                answers.append((int(said["model"]["version"]), said["score"]) if said else (0, 0.0))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def test_a_service_goes_on_while_mlflow_and_the_sync_die(
    mlflow: Child, registry: MLflowRegistry, settings: Settings, store: Store, tmp_path: Path
) -> None:
    """MLflow is killed and comes back, the sync is killed with -9; promotions are followed."""
    put(registry, tmp_path / "one", "de")
    promote(registry, "de")
    with syncing(settings, store) as first:
        until(lambda: answering(store, "de") == 1, first)
    with serving(store, tmp_path) as (url, _), asked(url, "de") as answers:
        with syncing(settings, store) as second:
            mlflow.stop()
            until(lambda: "does not answer" in second.last_words(20), second)
            mlflow.start()
            wait_until_ready(mlflow, f"{settings.mlflow_uri}/health")
            put(registry, tmp_path / "two", "de", sure=3.0)
            promote(registry, "de")
            until(lambda: answering(store, "de") == 2, second)
            assert second.pid is not None
            os.kill(second.pid, signal.SIGKILL)
        promote(registry, "de", 1)
        with syncing(settings, store) as third:
            until(lambda: answering(store, "de") == 1, third)
            until(lambda: answers[-1][0] == 1, third)

    versions = [version for version, _ in answers]
    assert 0 not in versions
    assert set(versions) == {1, 2}
    assert len({(version, round(score, 6)) for version, score in answers}) == 2
    assert [move.after for move in Journal.of(store).moves("de")] == [1, 2, 1]


def test_a_line_that_is_cut_goes_on_where_it_was(
    registry: MLflowRegistry, settings: Settings, store: Store, tmp_path: Path
) -> None:
    """At a third of the weights: the next sync fetches the rest, not all of it again."""
    manifest = write_tiny(tmp_path / "large", "nl")
    with (tmp_path / "large" / WEIGHTS).open("ab") as weights:
        weights.write(os.urandom(LARGE))
    files = manifest.files | {WEIGHTS: File.of(tmp_path / "large" / WEIGHTS)}
    manifest = manifest.model_copy(update={"files": files})
    manifest.write(tmp_path / "large")
    registry.register(tmp_path / "large", manifest)
    promote(registry, "nl")
    place = urlsplit(settings.mlflow_uri)
    with cutting("127.0.0.1", place.port or 80, after=LARGE // 3) as (url, cut):
        behind = MLflowRegistry(url)
        report = sync(behind, store)
        kept = sum(path.stat().st_size for path in (store.home / "staging").rglob("*.part"))
        assert [failure.code for failure in report.failed] == ["registry_unavailable"]
        assert LARGE // 4 <= kept < LARGE // 2
        before = cut.total

        again = sync(behind, store)

    assert [str(tag.model) for tag in again.synced] == ["sentiment-nl:1"]
    assert cut.total - before < manifest.nbytes - kept + 64 * 1024
    Manifest.read(store.path(again.synced[0])).verify(store.path(again.synced[0]))


def test_a_deleted_version_goes_on_serving(
    registry: MLflowRegistry, store: Store, tmp_path: Path
) -> None:
    """MLflow drops its alias without a word; an alias that is taken away is another thing."""
    deleted, withdrawn = put(registry, tmp_path / "fr", "fr"), put(registry, tmp_path / "it", "it")
    for model in (deleted, withdrawn):
        promote(registry, model.language, model.version)
    sync(registry, store)
    client: Any = registry._client
    client.delete_model_version(deleted.name, str(deleted.version))
    registry.withdraw("it", "champion")

    report = sync(registry, store)

    assert report.unrouted == ("it",)
    assert answering(store, "fr") == deleted.version
    assert answering(store, "it") == 0


def test_an_alias_in_capitals_is_pointed_out(
    registry: MLflowRegistry, store: Store, tmp_path: Path
) -> None:
    """MLflow keeps `Champion` beside `champion`; the version says that nothing came of it."""
    model = put(registry, tmp_path / "es", "es")
    client: Any = registry._client
    client.set_registered_model_alias(model.name, "Champion", str(model.version))

    sync(registry, store)

    assert answering(store, "es") == 0
    (version,) = registry.versions("es")
    assert "`champion`" in version.tags["serving.hint"]


def test_webhooks_of_mlflow_are_heard(
    registry: MLflowRegistry, settings: Settings, store: Store, tmp_path: Path
) -> None:
    """A sync that would look again after minutes follows a promotion within seconds."""
    put(registry, tmp_path / "one", "pt")
    promote(registry, "pt")
    patient = settings.model_copy(update={"sync_seconds": 600.0})
    with syncing(patient, store) as child:
        until(lambda: answering(store, "pt") == 1, child)
        time.sleep(6)  # MLflow remembers for 5 s that there were no webhooks
        put(registry, tmp_path / "two", "pt", sure=3.0)
        began = time.monotonic()
        promote(registry, "pt")
        until(lambda: answering(store, "pt") == 2, child)

    assert time.monotonic() - began < 30


def test_a_sync_that_starts_before_mlflow_waits_for_it(tmp_path: Path, store: Store) -> None:
    """It says so, and lives."""
    alone = Settings(
        home=tmp_path,
        mlflow_uri=f"http://127.0.0.1:{free_port()}",
        sync_url=f"http://127.0.0.1:{free_port()}",
        sync_seconds=0.5,
    )
    with syncing(alone, store) as child:
        until(lambda: "could not list" in child.last_words(20), child)
        assert child.running
        metrics = httpx.get(f"{alone.sync_url}/metrics", trust_env=False).text

    assert 'polysent_sync_looks_total{outcome="registry_unavailable"}' in metrics
