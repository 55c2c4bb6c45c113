"""Real servers on 127.0.0.1, each on a free port, ended by their process ids."""

import json
import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.fleet import Fleet
from benchmarks.process import Process
from cli import servers
from cli.http import answers
from cli.processes import Child
from models.settings import Settings

START_SECONDS = 120.0
STARTUP_FAILED = "startup failed"
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Service:
    """A service that answers."""

    url: str
    child: Child
    fleet: Fleet

    @property
    def process(self) -> Process:
        """The process that computes: the worker below BentoML's arbiter."""
        if self.child.pid is None:
            message = "the service is not started"
            raise RuntimeError(message)
        return max(Process(self.child.pid).family(), key=lambda each: each.private_bytes)

    def ask(self, text: str, language: str) -> float:
        """Ask about one text; return the seconds that it took, RuntimeError if it was not 200."""
        body = json.dumps({"text": text, "language": language}).encode()
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=START_SECONDS)
        connection.connect()
        started = time.perf_counter()
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        seconds = time.perf_counter() - started
        connection.close()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(content.decode(errors="replace"))
        return seconds

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels; 0 where there is none."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:  # noqa: S310
            text = answer.read().decode()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(value)
            for found, having, value in SAMPLE.findall(text)
            if found == name and all(label in having for label in wanted)
        )


@contextmanager
def serving(
    fleet: Fleet, folder: Path, *, target: Path | str | None = None, **environment: str
) -> Iterator[Service]:
    """Run `bentoml serve` over a fleet, its log in a folder; `target` is another service.

    Only one at a time over the same fleet: two with one BENTOML_HOME disturb each other.
    """
    child = servers.service(Settings(home=folder, port=free_port()))
    host, port = child.argv[-3], child.argv[-1]
    if target is not None:
        child.argv = [*child.argv[:4], str(target), *child.argv[5:]]
    url = f"http://{host}:{port}"
    ours = {"BENTOML_HOME": str(fleet.store.home), "POLYSENT_ADMIN_TOKEN": ADMIN_TOKEN}
    child.environment = {**child.environment, **ours, **environment}
    with running(child, f"{url}/readyz"):
        yield Service(url, child, fleet)


@contextmanager
def running(child: Child, probe: str) -> Iterator[None]:
    """Start a program, wait until it answers a GET, end it; RuntimeError has its last words."""
    child.log.unlink(missing_ok=True)
    child.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(probe):
            gone = child.exit_code is not None or STARTUP_FAILED in child.last_words()
            if gone or time.monotonic() > deadline:
                raise RuntimeError(child.last_words(40))
            time.sleep(0.1)
        yield
    finally:
        child.stop()


def free_port() -> int:
    """Return a port that no one listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


ADMIN_TOKEN = "benchmarks"  # noqa: S105  (of a service on loopback)
UNCACHED = {"POLYSENT_CACHE": "0"}
"""Settings under which every text is computed."""
