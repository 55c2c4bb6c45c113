import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from deploy.release.hold import FIRED, HELD, UNKNOWN, hold


@contextmanager
def prometheus(*alerts: tuple[str, str]) -> Iterator[str]:
    """Stand in for Prometheus, with alerts and their states."""
    found = [{"labels": {"alertname": name}, "state": state} for name, state in alerts]
    body = json.dumps({"status": "success", "data": {"alerts": found}}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("alert", "state", "expected"),
    [
        ("PolysentAvailabilityFastBurn", "firing", FIRED),
        ("PolysentAvailabilityFastBurn", "pending", HELD),
        ("PolysentThrashing", "firing", HELD),
    ],
)
def test_a_burn_that_fires_takes_a_version_back(alert: str, state: str, expected: int) -> None:
    """Neither one that may come, nor another alert."""
    with prometheus((alert, state)) as url:
        assert hold(url, 0.2, every=0.05) == expected


def test_silence_is_no_proof() -> None:
    """Who can't be asked has not said that all is well."""
    with prometheus() as url:
        pass
    assert hold(url, 0.5, every=0.05) == UNKNOWN
