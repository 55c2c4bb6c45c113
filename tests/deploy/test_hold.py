import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from deploy.release.hold import FIRED, HELD, UNKNOWN, Prometheus, hold

BURN = "PolysentAvailabilityFastBurn"
Alert = tuple[str, str, int]
"""Its name, its state, and how many seconds ago it became active."""


@contextmanager
def prometheus(
    *alerts: Alert, rules: Sequence[str] = (BURN,), scraped: bool = True
) -> Iterator[Prometheus]:
    """Stand in for Prometheus."""
    now = datetime.now(UTC)
    data = {
        "alerts": {
            "alerts": [
                {
                    "labels": {"alertname": name},
                    "state": state,
                    "activeAt": f"{now - timedelta(seconds=ago):%Y-%m-%dT%H:%M:%S.%f}123Z",
                }
                for name, state, ago in alerts
            ]
        },
        "rules": {"groups": [{"rules": [{"name": name} for name in rules]}]},
        "query": {"result": [{}] if scraped else []},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.path.partition("?")[0].rpartition("/")[2]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"data": data[asked]}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Prometheus(f"http://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("alert", "expected"),
    [
        ((BURN, "firing", -5), FIRED),
        ((BURN, "firing", 600), HELD),
        ((BURN, "pending", -5), HELD),
        (("PolysentAvailabilitySlowBurn", "firing", -5), HELD),
        (("PolysentThrashing", "firing", -5), HELD),
    ],
)
def test_a_fast_burn_that_begins_takes_a_version_back(alert: Alert, expected: int) -> None:
    """Neither one that was there before it, nor one that may come, nor another alert."""
    with prometheus(alert) as asked:
        assert hold(asked, 0.2, every=0.05) == expected


def test_who_does_not_watch_proves_nothing() -> None:
    """A Prometheus without the rules, one that scrapes no service, one that is away."""
    with prometheus(rules=["Watchdog"]) as asked:
        assert hold(asked, 0.2, every=0.05) == UNKNOWN
    with prometheus(scraped=False) as asked:
        assert hold(asked, 0.2, every=0.05) == UNKNOWN
    assert hold(asked, 0.2, every=0.05) == UNKNOWN


def test_the_rules_can_be_looked_for_before_anything_is_installed() -> None:
    """Nothing is scraped then."""
    with prometheus(scraped=False) as asked:
        assert hold(asked, 0) == HELD
    with prometheus(rules=[]) as asked:
        assert hold(asked, 0) == UNKNOWN
