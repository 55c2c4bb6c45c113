"""The demo fleet, as `make serve` makes it: built once, kept in .polysent/test between runs."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cli.http import answers
from models.routes import Routes
from models.store import Store
from tests.wire.conftest import free_port
from training import fleet

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / ".polysent" / "test"
BUILD_SECONDS = 20 * 60


@dataclass(frozen=True)
class Fleet:
    """A running `polysent up`, with every language of the fleet served."""

    url: str
    mlflow: str
    store: Store
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def polysent(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command against it."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


def start() -> Fleet:
    """Start `polysent up` with ports and folders of the tests' own."""
    ports = free_port(), free_port(), free_port()
    environment = {
        **os.environ,
        "BENTOML_HOME": str(HOME / "bentoml"),
        "POLYSENT_HOME": str(HOME),
        "POLYSENT_PORT": str(ports[0]),
        "POLYSENT_MLFLOW_URI": f"http://127.0.0.1:{ports[1]}",
        "POLYSENT_SYNC_URL": f"http://127.0.0.1:{ports[2]}",
        "POLYSENT_SYNC_SECONDS": "2",
    }
    log = HOME / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "up"],
            env=environment,
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Fleet(
        url=f"http://127.0.0.1:{ports[0]}",
        mlflow=environment["POLYSENT_MLFLOW_URI"],
        store=Store(HOME / "bentoml"),
        environment=environment,
        process=process,
        log=log,
    )


def stop(running: Fleet) -> None:
    """End it as Ctrl-C does, and see that it ends."""
    if running.process.poll() is None:
        running.process.terminate()
    running.process.wait(60)


def wait(running: Fleet, languages: set[str]) -> None:
    """Wait until the service answers and these languages are served."""
    deadline = time.monotonic() + BUILD_SECONDS
    while not (
        answers(f"{running.url}/readyz")
        and languages <= Routes.read(running.store.routes).languages.keys()
    ):
        said = running.log.read_text(errors="replace")
        assert running.process.poll() is None, said
        assert not re.search(r"failed: ", said), said
        assert time.monotonic() < deadline, said
        time.sleep(1)


def kill(running: Fleet) -> None:
    """Kill `up` alone, without a chance to tidy up."""
    running.process.kill()
    running.process.wait()


@pytest.fixture(scope="session")
def demo() -> Iterator[Fleet]:
    """Return the running demo, with every language served, after two starts that were killed."""
    for seconds in (12, 35):
        killed = start()
        time.sleep(seconds)
        kill(killed)
    running = start()
    try:
        wait(running, set(fleet.languages()))
        yield running
    finally:
        stop(running)


@pytest.fixture
def client(demo: Fleet) -> Iterator[httpx.Client]:
    """Return a client of the demo service."""
    with httpx.Client(base_url=demo.url, trust_env=False, timeout=60) as client:
        yield client
