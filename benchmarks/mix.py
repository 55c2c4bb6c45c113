"""What do twelve languages at once cost, each with a model of its own, against one?

Zipf's law says who is asked; 64 clients; the same service and the same lengths of text.
"""

import sys

from matplotlib.axes import Axes

from benchmarks.fleet import fleet
from benchmarks.measure import SATURATING, Measuring
from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import UNCACHED, serving
from benchmarks.traffic import Traffic

COUNT = 12
SKEW = 1.0


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__)
    measuring = Measuring.of(options)
    models = fleet(options, COUNT, options.precision)
    one: list[Traffic] = []
    mixed: list[Traffic] = []
    with serving(models, options.home / "benchmarks", **UNCACHED) as service:
        measuring.warm(service, models.languages)
        enough = measuring.enough(measuring.capacity(service, ["en"]))
        for _ in range(options.rounds):
            for languages, found in ((["en"], one), (models.languages, mixed)):
                questions = measuring.questions(languages, enough, SKEW)
                found.append(measuring.closed(service.url, questions, SATURATING))
    above = [traffic.throughput(measuring.skip) for traffic in mixed]
    below = [traffic.throughput(measuring.skip) for traffic in one]
    ratios = tuple(many / single for many, single in zip(above, below, strict=True))
    result = Result(
        name="mix",
        question="What do twelve languages at once cost against one?",
        setup={
            "model": options.shape,
            "precision": options.precision,
            "languages": list(models.languages),
            "Zipf exponent": SKEW,
            "load generator": measuring.generator,
        },
        claims=(Claim("twelve languages / one language", ratios, "at least", 0.85),),
        beside={
            "one language, texts/s": below,
            "twelve languages, texts/s": above,
            "one language, p50 and p99 ms": times(one),
            "twelve languages, p50 and p99 ms": times(mixed),
            "outcomes": [traffic.outcomes for traffic in one + mixed],
        },
    )
    return finish(result, options, lambda axes: draw(axes, below, above))


def times(found: list[Traffic]) -> list[tuple[float, float]]:
    """Return the median and the 99th percentile of each round."""
    return [(1000 * traffic.latency(0.5), 1000 * traffic.latency(0.99)) for traffic in found]


def draw(axes: Axes, one: list[float], mixed: list[float]) -> None:
    """Draw texts a second, a dot for each round."""
    for place, found in enumerate((one, mixed)):
        axes.bar(place, sorted(found)[len(found) // 2], color="tab:blue", alpha=0.6)
        axes.plot([place] * len(found), found, "k.", markersize=5)
    axes.set_xticks((0, 1), ("one language", "twelve, Zipf"))
    axes.set_ylabel("texts a second")


if __name__ == "__main__":
    sys.exit(main())
