"""What becomes of three times more requests than the service can answer?

Open loop, `Prefer: wait=2`: how much is still answered in time, and how is the rest refused?
"""

import sys
from collections.abc import Callable

from matplotlib.axes import Axes

from benchmarks.fleet import fleet
from benchmarks.measure import SATURATING, Measuring
from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import UNCACHED, serving
from benchmarks.traffic import OK, Plan, Record, Traffic

TIMES = 3.0
WAIT = 2.0
REFUSALS = (429, 503)
ON_THE_WAY = 0.05
"""Seconds that an answer given at its deadline may take to be read by a generator under load."""


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__)
    measuring = Measuring.of(options)
    models = fleet(options, 1, options.precision)
    peaks: list[float] = []
    floods: list[Traffic] = []
    with serving(models, options.home / "benchmarks", **UNCACHED) as service:
        measuring.warm(service, ["en"])
        guess = measuring.capacity(service, ["en"])
        for _ in range(options.rounds):
            questions = measuring.questions(["en"], measuring.enough(guess))
            calm = measuring.closed(service.url, questions, SATURATING)
            peaks.append(calm.throughput(measuring.skip))
            rate = TIMES * peaks[-1]
            plan = Plan(
                service.url, options.seconds, rate=rate, headers={"Prefer": f"wait={WAIT:g}"}
            )
            flood = measuring.questions(["en"], measuring.enough(rate))
            floods.append(measuring.carry_out(plan, flood))
    result = Result(
        name="overload",
        question="What becomes of three times more requests than can be answered?",
        setup={
            "model": options.shape,
            "precision": options.precision,
            "load": f"{TIMES:g}x the peak, Poisson, Prefer: wait={WAIT:g}",
            "load generator": measuring.generator,
        },
        claims=claims(peaks, floods, measuring.skip),
        beside={
            "peak, texts/s": peaks,
            "outcomes": [flood.outcomes for flood in floods],
            "p50 and p99 of the answered, ms": [
                (1000 * flood.latency(0.5), 1000 * flood.latency(0.99)) for flood in floods
            ],
            "p99 of the refused, ms": [1000 * refusal_time(flood) for flood in floods],
        },
    )
    return finish(result, options, lambda axes: draw(axes, peaks, floods))


def claims(peaks: list[float], floods: list[Traffic], skip: float) -> tuple[Claim, ...]:
    """Return what is held against the targets."""
    refused = [[r for r in flood.records if r.status != OK] for flood in floods]
    return (
        Claim(
            f"answered within {WAIT:g} s / peak",
            tuple(goodput(flood, skip) / peak for flood, peak in zip(floods, peaks, strict=True)),
            "at least",
            0.9,
        ),
        Claim(
            "refusals other than 429 or 503 with Retry-After",
            tuple(sum(not honest(each) for each in one) for one in refused),
            "at most",
            0,
        ),
        Claim(
            "answers after their deadline",
            tuple(sum(late(r) for r in flood.answered) for flood in floods),
            "at most",
            0,
        ),
    )


def goodput(flood: Traffic, skip: float) -> float:
    """Return answers in time, a second, of the whole measurement but its start."""
    since = flood.began + skip
    good = sum(since <= r.done <= flood.ended and not late(r) for r in flood.answered)
    return good / (flood.ended - since)


def late(record: Record) -> bool:
    """Say whether an answer came after its deadline, which counts from when it was sent."""
    return record.done - record.sent > WAIT + ON_THE_WAY


def honest(record: Record) -> bool:
    """Say whether a refusal says when to come back."""
    return record.status in REFUSALS and record.retry_after is not None


def refusal_time(flood: Traffic) -> float:
    """Return the seconds within which 99 % of the refusals came."""
    seconds = sorted(r.done - r.sent for r in flood.records if r.status in REFUSALS)
    return seconds[int(0.99 * len(seconds))] if seconds else 0.0


def draw(axes: Axes, peaks: list[float], floods: list[Traffic]) -> None:
    """Draw how many requests ended how, second by second, in the last round."""
    flood = floods[-1]
    kinds: dict[str, Callable[[Record], bool]] = {
        "answered in time": lambda r: r.status == OK and not late(r),
        "refused": lambda r: r.status in REFUSALS,
        "else": lambda r: (r.status == OK and late(r)) or r.status not in {OK, *REFUSALS},
    }
    seconds = int(flood.ended - flood.began)
    for name, is_kind in kinds.items():
        ends = [int(r.done - flood.began) for r in flood.records if is_kind(r)]
        axes.plot(range(seconds), [ends.count(second) for second in range(seconds)], label=name)
    axes.axhline(peaks[-1], color="grey", linestyle=":", label="peak")
    axes.set_xlabel("second")
    axes.set_ylabel("requests a second")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
