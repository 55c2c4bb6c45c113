"""Do loads of other models slow down the languages that are resident?

Open loop at half capacity over resident languages; in every other measurement a cold model is
loaded each second, in the rest the same extra request goes to a resident one.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

from matplotlib.axes import Axes

from benchmarks.evict import evict
from benchmarks.fleet import fleet
from benchmarks.measure import Measuring
from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import UNCACHED, Service, serving
from benchmarks.traffic import Plan, Traffic

RESIDENT = 4
LOADED = 4
"""Models that take turns at being loaded."""
LOADS_A_SECOND = 0.8
"""At least; with fewer the measurement shows nothing."""


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__, seconds=60.0)
    measuring = Measuring.of(options)
    models = fleet(options, RESIDENT + LOADED, options.precision)
    resident, others = models.languages[:RESIDENT], models.languages[RESIDENT:]
    calm: list[Traffic] = []
    loading: list[Traffic] = []
    loads: list[float] = []
    with serving(models, options.home / "benchmarks", **UNCACHED) as service:
        measuring.warm(service, models.languages)
        rate = measuring.capacity(service, resident) / 2
        for _ in range(options.rounds):
            for languages, found in ((resident, calm), (others, loading)):
                before = service.metric("polysent_loads_total", outcome="ok")
                with each_second(service, languages, measuring, loads=found is loading):
                    plan = Plan(service.url, options.seconds, rate=rate)
                    questions = measuring.questions(resident, measuring.enough(rate))
                    found.append(measuring.carry_out(plan, questions))
                after = service.metric("polysent_loads_total", outcome="ok")
                if found is loading:
                    loads.append((after - before) / options.seconds)
    result = Result(
        name="isolation",
        question="Do loads of other models slow down the resident languages?",
        setup={
            "model": options.shape,
            "precision": options.precision,
            "rate": f"{rate:.1f} a second, half capacity, Poisson, {RESIDENT} languages",
            "load generator": measuring.generator,
        },
        claims=(
            Claim("p99 with loads / without", ratios(loading, calm), "at most", 1.5),
            Claim("loads a second", tuple(loads), "at least", LOADS_A_SECOND),
        ),
        beside={
            "without loads: p50, p95, p99 ms": times(calm),
            "with loads: p50, p95, p99 ms": times(loading),
            "outcomes": [traffic.outcomes for traffic in calm + loading],
        },
    )
    return finish(result, options, lambda axes: draw(axes, calm, loading))


@contextmanager
def each_second(
    service: Service, languages: tuple[str, ...], measuring: Measuring, *, loads: bool
) -> Iterator[None]:
    """Meanwhile ask one of the languages each second, evicting it before where it is to load."""
    over = threading.Event()
    count = int(measuring.options.seconds) + 2
    texts = {language: iter(measuring.corpus.texts(language, count)) for language in languages}

    def asking() -> None:
        due = time.monotonic()
        for language in cycle(languages):
            due += 1.0
            if over.wait(max(due - time.monotonic(), 0)):
                return
            if loads:
                evict(service, language)
            service.ask(next(texts[language]), language)

    thread = threading.Thread(target=asking)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def ratios(above: list[Traffic], below: list[Traffic]) -> tuple[float, ...]:
    """Return the ratio of the 99th percentiles of each round."""
    pairs = zip(above, below, strict=True)
    return tuple(over.latency(0.99) / under.latency(0.99) for over, under in pairs)


def times(found: list[Traffic]) -> list[tuple[float, ...]]:
    """Return milliseconds of each round."""
    return [
        tuple(1000 * traffic.latency(share) for share in (0.5, 0.95, 0.99)) for traffic in found
    ]


def draw(axes: Axes, calm: list[Traffic], loading: list[Traffic]) -> None:
    """Draw what share of the answers took longer than so many milliseconds."""
    for found, name, colour in (
        (calm, "without loads", "tab:blue"),
        (loading, "a load each second", "tab:red"),
    ):
        for place, traffic in enumerate(found):
            latencies = sorted(1000 * record.latency for record in traffic.answered)
            slower = [1 - index / len(latencies) for index in range(len(latencies))]
            label = name if place == 0 else None
            axes.plot(latencies, slower, color=colour, alpha=0.6, label=label)
    axes.set_yscale("log")
    axes.set_xlabel("milliseconds")
    axes.set_ylabel("share of answers that took longer")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
