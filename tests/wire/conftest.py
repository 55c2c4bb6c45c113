"""Real servers on loopback, each with a BENTOML_HOME and a port of its own."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cli import servers
from cli.http import answers
from cli.processes import Child
from models.settings import Settings
from models.store import Store
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
    child.start()
    try:
        url = servers.service_url(settings)
        wait_until_ready(child, f"{url}/livez")
        yield url, child
    finally:
        child.stop()


@pytest.fixture(scope="session")
def tiny_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Return a client of a service with tiny models for en, de and the rest."""
    folder = tmp_path_factory.mktemp("service")
    store = Store(folder / "bentoml")
    serve_tiny(store, "en", "de", "mul")
    with serving(store, folder) as (url, _), httpx.Client(base_url=url, trust_env=False) as client:
        yield client
