"""Watches a new version's alerts: exit 0 once it has held, 1 as soon as one of them fires.

`python deploy/release/hold.py http://prometheus:9090 --minutes 60`. A Prometheus that does not
answer for five minutes is no proof that all is well: exit 2.
"""

import argparse
import re
import sys
import time

import httpx

BURN = re.compile(r"Polysent\w+Burn")
"""Alerts (deploy/observability/rules/objectives.yaml) that take a version back."""
EVERY = 15.0
"""Seconds between two looks."""
SILENCE = 300.0
"""Seconds without an answer after which nobody knows how the version does."""
HELD, FIRED, UNKNOWN = 0, 1, 2


def firing(url: str) -> list[str]:
    """Return the burn-rate alerts that fire now; httpx.HTTPError where Prometheus is silent."""
    answer = httpx.get(f"{url.rstrip('/')}/api/v1/alerts", timeout=10, trust_env=False)
    answer.raise_for_status()
    found = answer.json()["data"]["alerts"]
    names = {each["labels"]["alertname"] for each in found if each["state"] == "firing"}
    return sorted(filter(BURN.fullmatch, names))


def hold(url: str, seconds: float, every: float = EVERY) -> int:
    """Watch for so long; return the exit status."""
    began = answered = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            if found := firing(url):
                _say(f"fires: {', '.join(found)}")
                return FIRED
            answered = time.monotonic()
        except (httpx.HTTPError, KeyError, ValueError) as error:
            _say(f"{url} does not say: {error}")
            if time.monotonic() - answered > min(SILENCE, seconds / 2):
                return UNKNOWN
        time.sleep(every)
    return HELD


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201  (a program's own words)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prometheus", help="its address")
    parser.add_argument("--minutes", type=float, default=60.0)
    given = parser.parse_args()
    return hold(given.prometheus, 60 * given.minutes)


if __name__ == "__main__":
    sys.exit(main())
