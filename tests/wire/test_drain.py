import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import serving

pytestmark = pytest.mark.wire

CLIENTS = 8
ANSWERS = 20 * CLIENTS
"""So many are seen before it is told to end: by then every client is in the middle of it."""
BODY = {"text": "good", "language": "en"}


@dataclass
class Asking:
    """Clients that ask one question after the other over connections they keep."""

    url: str
    statuses: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def client(self) -> None:
        """Ask until refused."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=20) as client:
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
        clients = [threading.Thread(target=asking.client) for _ in range(CLIENTS)]
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
