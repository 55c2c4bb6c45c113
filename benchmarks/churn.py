"""What is left behind by models that come and go, texts that break the engine, clients that leave?

1,000 load/evict cycles, then one run with 1 % poison texts and 20 % of the clients hanging up.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median

from matplotlib.axes import Axes

from benchmarks import faults
from benchmarks.evict import evict
from benchmarks.fleet import fleet
from benchmarks.measure import Measuring
from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import UNCACHED, Service, serving

CYCLES, SETTLED = 1000, 100
SAMPLED = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """What the service held after so many cycles."""

    cycles: int
    private_mib: float
    threads: int
    descriptors: int


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__)
    measuring = Measuring.of(options)
    models = fleet(options, 3, options.precision)
    cycles = options.at_most(CYCLES, 10)
    with serving(models, options.home / "benchmarks", **UNCACHED) as service:
        measuring.warm(service, models.languages)
        samples = churn(service, measuring, cycles)
    found = faults.provoke(models, measuring)
    result = Result(
        name="churn",
        question="What is left behind by models that come and go?",
        setup={
            "model": options.shape,
            "precision": options.precision,
            "cycles": cycles,
            "load generator": measuring.generator,
        },
        claims=(*flat(samples), *faults.claims(found)),
        beside=faults.beside(found),
    )
    return finish(result, options, lambda axes: draw(axes, samples))


def churn(service: Service, measuring: Measuring, cycles: int) -> list[Sample]:
    """Evict a model and ask it, in turns; sample what the service holds."""
    process = service.process
    every = max(cycles // SAMPLED, 1)
    samples = []
    for done, language in enumerate(islice(cycle(service.fleet.languages), cycles), start=1):
        [text] = measuring.corpus.texts(language, 1)
        service.ask(text, language)
        evict(service, language)
        if done % every == 0:
            held = process.private_bytes / 2**20
            samples.append(Sample(done, held, process.threads, process.descriptors))
    return samples


def flat(samples: Sequence[Sample]) -> tuple[Claim, ...]:
    """Compare what was held after the first cycles with what is held at the end."""
    settled = SETTLED if samples[-1].cycles > 2 * SETTLED else samples[-1].cycles // 3
    early = [s for s in samples if settled <= s.cycles <= 2 * settled]
    late = samples[-len(early) :]
    growth = median(s.private_mib for s in late) / median(s.private_mib for s in early)
    threads = max(s.threads for s in late) - max(s.threads for s in early)
    descriptors = max(s.descriptors for s in late) - max(s.descriptors for s in early)
    return (
        Claim(f"private memory at the end / after {settled} cycles", (growth,), "at most", 1.02),
        Claim("threads more", (threads,), "at most", 0),
        Claim("file descriptors more", (descriptors,), "at most", 0),
    )


def draw(axes: Axes, samples: Sequence[Sample]) -> None:
    """Draw memory, threads and descriptors over the cycles."""
    cycles = [s.cycles for s in samples]
    axes.plot(cycles, [s.private_mib for s in samples], "k-", label="private MiB")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("load/evict cycles")
    axes.set_ylabel("private MiB")
    beside = axes.twinx()
    beside.plot(cycles, [s.threads for s in samples], "tab:blue", label="threads")
    beside.plot(cycles, [s.descriptors for s in samples], "tab:red", label="file descriptors")
    beside.set_ylim(bottom=0)
    beside.legend(loc="lower right")


if __name__ == "__main__":
    sys.exit(main())
