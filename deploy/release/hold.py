"""Watches a new version's alerts: exit 0 once it has held, 1 as soon as one of them fires.

`python deploy/release/hold.py http://prometheus:9090 --minutes 60`. Where nobody watches (no such
rules, no service that is scraped) or Prometheus is silent for five minutes, nothing is proven:
exit 2. `--minutes 0` only sees whether the rules are there, before anything is installed.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

BURN = re.compile(r"Polysent\w+FastBurn")
"""Alerts (deploy/observability/rules/objectives.yaml) that take a version back."""
SIGN = "polysent_ready"
"""What each service that is scraped has."""
EVERY = 15.0
"""Seconds between two looks."""
SILENCE = 300.0
"""Seconds without an answer after which nobody knows how the version does."""
HELD, FIRED, UNKNOWN = 0, 1, 2
WRONG = httpx.HTTPError, KeyError, ValueError
"""What an address ends in that is no Prometheus, or one that is away."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus; each question raises one of WRONG where it does not answer."""

    url: str

    def rules(self) -> list[str]:
        """Return the burn-rate alerts that it knows."""
        groups = self._ask("rules", type="alert")["groups"]
        names = {rule["name"] for group in groups for rule in group["rules"]}
        return sorted(filter(BURN.fullmatch, names))

    def scraped(self) -> bool:
        """Say whether any service is scraped."""
        return bool(self._ask("query", query=SIGN)["result"])

    def firing(self, since: datetime) -> list[str]:
        """Return the burn-rate alerts that fire and did not do so before."""
        return sorted({name for name, active in self._fire() if active >= since})

    def _fire(self) -> Iterator[tuple[str, datetime]]:
        for alert in self._ask("alerts")["alerts"]:
            name = alert["labels"]["alertname"]
            if alert["state"] == "firing" and BURN.fullmatch(name):
                yield name, datetime.fromisoformat(alert["activeAt"][:19]).replace(tzinfo=UTC)

    def _ask(self, what: str, **words: str) -> Any:  # noqa: ANN401  (JSON)
        url = f"{self.url.rstrip('/')}/api/v1/{what}"
        answer = httpx.get(url, params=words, timeout=10, trust_env=False)
        answer.raise_for_status()
        return answer.json()["data"]


def hold(prometheus: Prometheus, seconds: float, every: float = EVERY) -> int:
    """Watch for so long; return the exit status."""
    since = datetime.now(UTC).replace(microsecond=0)
    began = answered = time.monotonic()
    while True:
        over = time.monotonic() - began >= seconds
        try:
            if found := prometheus.firing(since):
                return _end(FIRED, f"fires: {', '.join(found)}")
            if not prometheus.rules():
                return _end(UNKNOWN, "it has no rules for burn rates (deploy/observability)")
            if over and seconds and not prometheus.scraped():
                return _end(UNKNOWN, f"no service is scraped: there is no {SIGN}")
            answered = time.monotonic()
        except WRONG as error:
            if over or time.monotonic() - answered > SILENCE:
                return _end(UNKNOWN, f"{prometheus.url} does not say: {error!r}")
        if over:
            return HELD
        time.sleep(every)


def _end(status: int, why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201  (a program's own words)
    return status


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prometheus", help="its address")
    parser.add_argument("--minutes", type=float, default=60.0)
    given = parser.parse_args()
    return hold(Prometheus(given.prometheus), 60 * given.minutes)


if __name__ == "__main__":
    sys.exit(main())
