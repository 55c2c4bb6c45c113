import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import serving

pytestmark = pytest.mark.wire

CLIENTS = 8
"""So many keep their connections, and as many make a new one for each question."""
ANSWERS = 40 * CLIENTS
"""So many are seen before it is told to end: by then every client is in the middle of it."""
BODY = {"text": "good", "language": "en"}
LINE = json.dumps(BODY).encode() + b"\n"
HEAD = (
    b"POST /bulk HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@dataclass
class Asking:
    """Clients that ask one question after the other."""

    url: str
    statuses: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def client(self, headers: dict[str, str]) -> None:
        """Ask until refused."""
        with httpx.Client(
            base_url=self.url, trust_env=False, timeout=20, headers=headers
        ) as client:
            while not self.refused:
                try:
                    self.statuses.append(client.post("/predict", json=BODY).status_code)
                except httpx.ConnectError:
                    self.refused.append(time.monotonic())
                except httpx.TransportError as error:
                    self.broken.append(repr(error))


def test_sigterm_under_load_loses_no_request(tmp_path: Path) -> None:
    """What was accepted is answered, what comes later refused within a second; exit code 0."""
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "en")

    with serving(store, tmp_path, POLYSENT_CACHE="0") as (url, child):
        asking = Asking(url)
        clients = [
            threading.Thread(target=asking.client, args=[headers])
            for headers in ({}, {"Connection": "close"})
            for _ in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        deadline = time.monotonic() + 60
        while len(asking.statuses) < ANSWERS and time.monotonic() < deadline:
            time.sleep(0.01)
        told = time.monotonic()
        child.stop()
        for client in clients:
            client.join()

        assert not asking.broken
        assert set(asking.statuses) == {200}
        assert len(asking.statuses) > ANSWERS
        assert min(asking.refused) - told < 1
        assert child.exit_code == 0, child.last_words(40)
        assert "Traceback" not in child.last_words(200)


def test_sigterm_ends_streams_and_leaves_who_does_not_read(tmp_path: Path) -> None:
    """The last line says where to go on; none keeps the service from ending."""
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "en")

    with (
        serving(store, tmp_path, POLYSENT_UPLOAD_SECONDS="2") as (url, child),
        stream(url) as endless,
        stream(url) as deaf,
    ):
        fed = threading.Thread(target=feed, args=[endless])
        filled = threading.Thread(target=feed, args=[deaf])
        filled.start()
        filled.join(3)
        fed.start()
        got = endless.recv(65536)
        stopping = threading.Thread(target=child.stop)
        told = time.monotonic()
        stopping.start()
        while piece := endless.recv(65536):
            got += piece
        stopping.join()
        took = time.monotonic() - told
        filled.join()
        fed.join()

        assert got.endswith(b"\r\n0\r\n\r\n")
        last = json.loads(got.splitlines()[-4])
        assert (last["code"], last["line"]) == ("model_unavailable", got.count(b'"label"') + 1)
        assert took < 10
        assert child.exit_code == 0, child.last_words(40)


@contextlib.contextmanager
def stream(url: str) -> Iterator[socket.socket]:
    """Begin a stream that does not end by itself."""
    place = httpx.URL(url)
    with socket.create_connection((place.host, place.port or 80), timeout=20) as raw:
        raw.sendall(HEAD)
        yield raw


def feed(raw: socket.socket) -> None:
    """Send lines until nobody takes them."""
    with contextlib.suppress(OSError):
        while True:
            raw.sendall(b"%x\r\n%s\r\n" % (len(LINE), LINE))
            time.sleep(0.001)
