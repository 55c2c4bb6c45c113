"""What does one request pay for the server, when nobody else asks?

One client and the bare engine on the same texts, in turns of twenty, for machines drift.
"""

import sys
from pathlib import Path
from statistics import median

from matplotlib.axes import Axes

from benchmarks import bare
from benchmarks.fleet import fleet
from benchmarks.measure import Measuring
from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import UNCACHED, Service, serving
from benchmarks.traffic import Plan

PATIENCE = 600.0
"""Seconds for the one client to ask all that it asks."""
TURN = 20
"""Texts of one client, before the bare engine has its turn with them."""


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__)
    measuring = Measuring.of(options)
    models = fleet(options, 1, options.precision)
    rounds = []
    for _ in range(options.rounds):
        with serving(models, options.home / "benchmarks", **UNCACHED) as service:
            measuring.warm(service, ["en"])
            rounds.append(one_at_a_time(service, models.folder("en"), measuring))
    extra = tuple(1000 * (served - alone) for served, alone in rounds)
    result = Result(
        name="hop",
        question="What does one request pay for the server?",
        setup={
            "model": options.shape,
            "precision": options.precision,
            "load generator": measuring.generator,
        },
        claims=(Claim("p50 at 1 client - bare p50", extra, "at most", 2.0, " ms"),),
        beside={
            "bare p50 ms": [1000 * alone for _, alone in rounds],
            "one client p50 ms": [1000 * served for served, _ in rounds],
        },
    )
    return finish(result, options, lambda axes: draw(axes, rounds))


def one_at_a_time(service: Service, folder: Path, measuring: Measuring) -> tuple[float, float]:
    """Return both medians, in seconds: one client's, and the bare engine's.

    The bare engine has the number of threads that was the quickest.
    """
    asked = measuring.questions(["en"], measuring.options.at_most(400, 60))
    plan = Plan(service.url, PATIENCE, clients=1)
    served: list[float] = []
    alone: dict[int, list[float]] = {threads: [] for threads in {1, bare.cores()}}
    models = {threads: bare.open_one(folder, threads) for threads in alone}
    for start in range(0, len(asked), TURN):
        turn = asked[start : start + TURN]
        served.append(measuring.carry_out(plan, turn).latency(0.5))
        rows = bare.encode(folder, [question.text for question in turn])
        for threads, model in models.items():
            bare.alone(model, rows[:2])
            alone[threads].append(bare.alone(model, rows))
    for model in models.values():
        model.close()
    return median(served), min(map(median, alone.values()))


def draw(axes: Axes, rounds: list[tuple[float, float]]) -> None:
    """Draw both medians of each round."""
    numbers = range(1, len(rounds) + 1)
    axes.plot(numbers, [1000 * served for served, _ in rounds], "o-", label="one client")
    axes.plot(numbers, [1000 * alone for _, alone in rounds], "o-", label="bare engine")
    axes.set_ylim(bottom=0)
    axes.set_xticks(list(numbers))
    axes.set_xlabel("round")
    axes.set_ylabel("median, ms")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
