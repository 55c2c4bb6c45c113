"""What would the chart's autoscaling do under this traffic, and what would it cost?

`python -m deploy.autoscaling.replay` makes traffic up; `--recorded FILE` takes yours, a line
`seconds,requests a second` each. Decisions are those of an HPA and of KEDA with the values of
deploy/kubernetes; a replica's speed is what you measured (`python -m benchmarks.overhead`).
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.autoscaling.chart import autoscaler
from deploy.autoscaling.load import Scaler, fixed
from deploy.autoscaling.manifests import scaler
from deploy.autoscaling.simulate import Outcome, Replica, simulate
from deploy.autoscaling.traffic import MADE_UP, Rates, recorded

MOST = 6
"""Replicas of the side that never scales: the chart's `autoscaling.max`."""
DEPLOYMENTS = 50
"""What the usual way keeps running, one a language."""
LANES = 4
"""Cores of a replica in the chart's values."""
LIMIT = 512
"""Requests that wait for a model, POLYSENT_QUEUE_LIMIT."""


def sides() -> dict[str, tuple[Scaler, int]]:
    """Return who decides, and the replicas that it begins with."""
    return {
        f"{MOST} replicas, always": (fixed(MOST), MOST),
        "hpa (values-hpa.yaml)": (scaler(autoscaler("hpa")), 2),
        "keda (values-keda.yaml)": (scaler(autoscaler("keda")), 0),
    }


def main() -> None:
    """Print a table for each traffic."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recorded", type=Path, help="traffic as CSV: seconds, requests a second")
    parser.add_argument("--peak", type=float, default=200.0, help="requests a second at the peak")
    parser.add_argument("--capacity", type=float, default=100.0, help="requests/s of a replica")
    parser.add_argument("--start", type=float, default=20.0, help="seconds until one is ready")
    parser.add_argument("--price", type=float, default=0.20, help="of a replica for an hour")
    given = parser.parse_args()
    replica = Replica(LANES, LANES / given.capacity, given.start, LIMIT)
    if given.recorded:
        traffic = {str(given.recorded): recorded(given.recorded)}
    else:
        traffic = {name: make(given.peak) for name, make in MADE_UP.items()}
    for name, rates in traffic.items():
        Console(width=120).print(table(name, rates, replica, given.price))


def table(name: str, rates: Rates, replica: Replica, price: float) -> Table:
    """Return what each side makes of a traffic."""
    hours = len(rates) / 3600
    title = f"{name}: {hours:.0f} h, {sum(rates):,.0f} requests, at most {max(rates):.0f} a second"
    heads = ("", "replicas", "p50 ms", "p99 ms", "refused", "none ready", "replica-hours", "cost")
    shown = Table(*heads, title=title)
    for side, (decides, first) in sides().items():
        found = simulate(rates, replica, decides, first)
        shown.add_row(side, *cells(found, price))
    usual = DEPLOYMENTS * hours
    shown.add_row(f"{DEPLOYMENTS} deployments", *[""] * 5, f"{usual:.0f}", f"{usual * price:.0f}")
    return shown


def cells(found: Outcome, price: float) -> Iterable[str]:
    """Yield the figures of one side."""
    asked = max(len(found.answered) + found.refused + found.unserved, 1)
    yield f"{min(found.replicas)} .. {max(found.replicas)}"
    yield f"{1000 * found.latency(0.5):.0f}"
    yield f"{1000 * found.latency(0.99):.0f}"
    yield f"{found.refused / asked:.2%}"
    yield f"{found.unserved / asked:.2%}"
    yield f"{found.hours:.0f}"
    yield f"{found.hours * price:.1f}"


if __name__ == "__main__":
    main()
