"""Real servers on loopback, each with a BENTOML_HOME and a port of its own."""

import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import servers
from cli.http import answers
from cli.processes import Child
from models.settings import Settings
from models.store import Store
from registry.mlflow.source import MLflowRegistry
from tests.tiny import serve_tiny

START_SECONDS = 60.0


def free_port() -> int:
    """Return a port that no one listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(child: Child, url: str) -> None:
    """Wait for a 200; fail with the program's last words where it ends before."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(url):
        assert child.exit_code is None, child.last_words(40)
        assert time.monotonic() < deadline, child.last_words(40)
        time.sleep(0.1)


@contextmanager
def serving(store: Store, folder: Path, **environment: str) -> Iterator[tuple[str, Child]]:
    """Run `bentoml serve` over a store; yields its address and the program."""
    settings = Settings(home=folder, port=free_port())
    child = servers.service(settings)
    child.environment = {**child.environment, "BENTOML_HOME": str(store.home), **environment}
    url = servers.service_url(settings)
    with running(child, f"{url}/livez"):
        yield url, child


@contextmanager
def running(child: Child, url: str) -> Iterator[Child]:
    """Run a program; yields it once its address answers."""
    child.start()
    try:
        wait_until_ready(child, url)
        yield child
    finally:
        child.stop()


def mlflow_server(settings: Settings) -> AbstractContextManager[Child]:
    """Run MLflow where the settings say."""
    return running(servers.mlflow(settings), f"{settings.mlflow_uri}/health")


@pytest.fixture(scope="module")
def mlflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a module's MLflow server keeps all it has."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def server(mlflow_home: Path) -> Iterator[str]:
    """Return the address of a real MLflow server with a new database."""
    settings = Settings(home=mlflow_home, mlflow_uri=f"http://127.0.0.1:{free_port()}")
    with mlflow_server(settings):
        yield settings.mlflow_uri


@pytest.fixture
def registry(server: str) -> MLflowRegistry:
    """Return a registry on that server."""
    return MLflowRegistry(server)


@pytest.fixture(scope="module")
def client(server: str) -> Any:  # noqa: ANN401
    """Return MLflow's own client, to see what a person sees and to do what a person does."""
    from registry.mlflow.client import open_client  # noqa: PLC0415  (slow to import)

    return open_client(server)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "bentoml")


@pytest.fixture(scope="session")
def tiny_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Return a client of a service with tiny models for en, de and the rest."""
    folder = tmp_path_factory.mktemp("service")
    store = Store(folder / "bentoml")
    serve_tiny(store, "en", "de", "mul")
    with serving(store, folder) as (url, _), httpx.Client(base_url=url, trust_env=False) as client:
        yield client
