"""The service that brings its models itself, beside a real MLflow server, on an empty disk."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from models.coming import Coming
from models.identity import ModelId
from models.manifest import NAME, WEIGHTS, Manifest
from models.store import Store
from registry.mlflow.source import MLflowRegistry
from registry.promote import promote
from tests.tiny import write_tiny
from tests.wire.conftest import free_port, serving

pytestmark = [
    pytest.mark.wire,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves sockets to the collector
]
PATIENCE = 60.0


def put(registry: MLflowRegistry, folder: Path, language: str, sure: float = 2.0) -> ModelId:
    """Register and promote a tiny artifact."""
    model = registry.register(folder, write_tiny(folder, language, sure=sure)).model
    promote(registry, language, model.version)
    return model


@contextmanager
def replica(server: str, store: Store, folder: Path, **more: str) -> Iterator[httpx.Client]:
    """Run a service as BentoCloud would: an address in its environment, and little more."""
    environment = {
        "POLYSENT_SYNC": "embedded",
        "POLYSENT_MLFLOW_URI": server,
        "POLYSENT_SYNC_URL": f"http://127.0.0.1:{free_port()}",
        "POLYSENT_SYNC_SECONDS": "0.5",
        **more,
    }
    with (
        serving(store, folder, **environment) as (url, _),
        httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client,
    ):
        yield client


def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.1)


def asked(client: httpx.Client, language: str) -> tuple[int, str | int]:
    """Ask for a good film; return the status, and the version or the problem's code."""
    answer = client.post("/predict", json={"text": "good film", "language": language})
    said = answer.json()
    return answer.status_code, said["model"]["version"] if "model" in said else said["code"]


def answering(client: httpx.Client, language: str) -> str:
    """Ask for a good film; return the name of the model that answers."""
    name: str = client.post("/predict", json={"text": "good film", "language": language}).json()[
        "model"
    ]["name"]
    return name


def brought(store: Store) -> set[str]:
    """Return the languages of which there is anything on the disk, be it half of it."""
    found = [*(store.home / "models").glob("*"), *(store.home / "staging").glob("*/")]
    return {place.name.split("-")[1] for place in found}


def spoil(mlflow_home: Path, language: str) -> None:
    """Empty the weights that MLflow keeps of a language, so that they can't be brought."""
    for manifest in mlflow_home.rglob(NAME):
        if Manifest.read(manifest.parent).language == language:
            (manifest.parent / WEIGHTS).write_bytes(b"")


def syncs(store: Store) -> list[int]:
    """Return the processes that sync this store."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().split(b"\0")
            environment = (place / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--watch" in command and f"BENTOML_HOME={store.home}".encode() in environment:
            found.append(int(place.name))
    return found


def test_replica_without_a_volume_brings_its_models(
    server: str, registry: MLflowRegistry, store: Store, tmp_path: Path, mlflow_home: Path
) -> None:
    """From an empty disk; what is not there yet is 503, and a sync that is killed comes back."""
    put(registry, tmp_path / "de", "de")
    put(registry, tmp_path / "fr", "fr")
    spoil(mlflow_home, "fr")
    with replica(server, store, tmp_path) as client:
        until(lambda: asked(client, "de") == (200, 1))
        until(lambda: client.get("/readyz").status_code == 200)
        assert asked(client, "fr") == (503, "not_yet_fetched")
        assert Coming(store).asked() == {"fr"}
        assert asked(client, "it") == (422, "language_unsupported")

        (first,) = syncs(store)
        os.kill(first, signal.SIGKILL)
        put(registry, tmp_path / "two", "de", sure=3.0)
        until(lambda: asked(client, "de") == (200, 2))

        metrics = client.get("/metrics").text
        assert "\npolysent_sync_restarts_total 1.0" in metrics
        assert "\npolysent_sync_age_seconds" in metrics
    until(lambda: not syncs(store))


def test_replica_fetches_a_language_with_the_first_text_in_it(
    server: str, registry: MLflowRegistry, store: Store, tmp_path: Path
) -> None:
    """It is ready with what is pinned; a multilingual model answers meanwhile, else it is 503."""
    for language in ("cs", "pl", "sk", "uk"):
        put(registry, tmp_path / language, language)
    settings = {"POLYSENT_SYNC_FETCH": "asked", "POLYSENT_PIN": "pl", "POLYSENT_SYNC_SECONDS": "2"}
    with replica(server, store, tmp_path, **settings) as client:
        until(lambda: client.get("/readyz").status_code == 200)
        assert brought(store) == {"pl"}

        refused = client.post("/predict", json={"text": "good film", "language": "cs"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
        until(lambda: asked(client, "cs") == (200, 1))

        put(registry, tmp_path / "mul", "mul")
        until(lambda: asked(client, "fi") == (200, 1))
        assert answering(client, "uk") == "sentiment-mul"
        until(lambda: answering(client, "uk") == "sentiment-uk")
        assert brought(store) == {"cs", "mul", "pl", "uk"}
    registry.withdraw("mul", "champion")
