"""What does the server cost beyond the bare engine, and what does the usual way cost?

Throughput at 64 clients against perfect batches without HTTP, padding at saturation, and both rungs
beside Flask + torch fp32 at 32 clients.
"""

import sys
from dataclasses import dataclass, field

from matplotlib.axes import Axes

from benchmarks import bare
from benchmarks.bare import Run, Way
from benchmarks.flask_torch import Baseline, baseline
from benchmarks.fleet import Fleet, fleet, tokenizer
from benchmarks.measure import SATURATING, Measuring
from benchmarks.options import CHOSEN, read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import UNCACHED, Service, serving

CLIENTS = 32
FIXED = 16
"""Texts in the unsorted batches that are shown beside ours."""


@dataclass(slots=True)
class Rounds:
    """One figure a round of each."""

    bare: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    padding: list[float] = field(default_factory=list)
    flask: list[float] = field(default_factory=list)
    fastest: list[float] = field(default_factory=list)
    demo: list[float] = field(default_factory=list)


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__)
    measuring = Measuring.of(options)
    models = fleet(options, 1, options.precision)
    texts = measuring.corpus.texts("en", options.at_most(120, 100))
    rows = bare.encode(models.folder("en"), texts)
    ways = bare.sweep(models.folder("en"), rows)
    best = next(iter(ways))
    rounds = Rounds()
    for _ in range(options.rounds):
        one_round(models, measuring, best, rounds)
    unsorted = unordered(models, rows, best)
    usual = against_flask(measuring, rounds)
    result = Result(
        name="overhead",
        question="What does the server cost beyond the bare engine?",
        setup={
            "model": options.shape,
            "precision": options.precision,
            "demo precision": CHOSEN,
            "bare engine": str(best),
            "baseline": str(usual),
            "load generator": measuring.generator,
        },
        claims=claims(rounds),
        beside={
            "bare sweep, texts/s": {str(way): found for way, found in ways.items()},
            f"unsorted batches of {FIXED}: padding": unsorted.padding_share,
            f"unsorted batches of {FIXED}, texts/s": unsorted.throughput,
            "texts/s": {name: list(getattr(rounds, name)) for name in PICTURED},
        },
    )
    return finish(result, options, lambda axes: draw(axes, rounds))


def one_round(models: Fleet, measuring: Measuring, best: Way, rounds: Rounds) -> None:
    """Measure the service, and the bare engine on the same texts right after it."""
    folder = models.folder("en")
    with serving(models, measuring.options.home / "benchmarks", **UNCACHED) as service:
        measuring.warm(service, ["en"])
        busy = saturated(service, measuring, rounds)
        with bare.lanes(folder, best) as opened:
            batches = bare.perfect(bare.encode(folder, busy), best.tokens)
            rounds.bare.append(bare.run(opened, batches).throughput)


def saturated(service: Service, measuring: Measuring, rounds: Rounds) -> list[str]:
    """Measure throughput and padding with as many clients as saturate; return the texts."""
    before = tokens(service)
    guess = measuring.capacity(service, ["en"])
    questions = measuring.questions(["en"], measuring.enough(guess))
    traffic = measuring.closed(service.url, questions, SATURATING)
    rounds.served.append(traffic.throughput(measuring.skip))
    real, padding = (now - then for now, then in zip(tokens(service), before, strict=True))
    if real:
        rounds.padding.append(padding / (real + padding))
    return [questions[record.index].text for record in traffic.answered]


def tokens(service: Service) -> tuple[float, float]:
    """Return the tokens that were computed so far: of texts, and of padding."""
    names = "polysent_batch_tokens_total", "polysent_batch_padding_tokens_total"
    return service.metric(names[0]), service.metric(names[1])


def unordered(models: Fleet, rows: list[list[int]], best: Way) -> Run:
    """Run the texts as they came, in batches of a fixed number."""
    with bare.lanes(models.folder("en"), best) as opened:
        return bare.run(opened, bare.fixed(rows, FIXED))


def against_flask(measuring: Measuring, rounds: Rounds) -> Baseline:
    """Measure the usual way and both rungs at the same clients, in turns; return the usual way."""
    options = measuring.options
    folder = options.home / "benchmarks"
    usual = Baseline(options.shape, tokenizer(options.home), bare.cores(), 1, CLIENTS)
    for _ in range(options.rounds):
        with baseline(usual, folder) as url:
            rounds.flask.append(at_32(measuring, url))
        rounds.fastest.append(served_at_32(measuring, options.precision))
        same = options.precision == CHOSEN
        rounds.demo.append(rounds.fastest[-1] if same else served_at_32(measuring, CHOSEN))
    return usual


def served_at_32(measuring: Measuring, precision: str) -> float:
    """Return answers a second of the service with CLIENTS clients."""
    options = measuring.options
    models = fleet(options, 1, precision)
    with serving(models, options.home / "benchmarks", **UNCACHED) as service:
        measuring.warm(service, ["en"])
        return at_32(measuring, service.url)


def at_32(measuring: Measuring, url: str) -> float:
    """Return answers a second with CLIENTS clients."""
    questions = measuring.questions(["en"], measuring.options.at_most(6000, 4000))
    return measuring.closed(url, questions, CLIENTS).throughput(measuring.skip)


def ratios(above: list[float], below: list[float]) -> tuple[float, ...]:
    """Return one ratio a round."""
    return tuple(over / under for over, under in zip(above, below, strict=True))


def claims(rounds: Rounds) -> tuple[Claim, ...]:
    """Return what is held against the targets."""
    return (
        Claim(
            f"throughput at {SATURATING} clients / bare engine in perfect batches",
            ratios(rounds.served, rounds.bare),
            "at least",
            0.85,
        ),
        Claim("padding / tokens at saturation", tuple(rounds.padding), "at most", 0.05),
        Claim(
            "fastest rung / Flask + torch fp32 at 32 clients",
            ratios(rounds.fastest, rounds.flask),
            "at least",
            6.0,
            "x",
        ),
        Claim(
            "demo fleet's rung / Flask + torch fp32 at 32 clients",
            ratios(rounds.demo, rounds.flask),
            "at least",
            4.0,
            "x",
        ),
    )


PICTURED = {
    "bare": "bare engine",
    "served": "Polysent, 64 clients",
    "fastest": "Polysent, 32 clients",
    "demo": "Polysent, demo rung, 32",
    "flask": "Flask + torch fp32, 32",
}


def draw(axes: Axes, rounds: Rounds) -> None:
    """Draw texts a second, a dot for each round."""
    for place, name in enumerate(reversed(PICTURED)):
        found = getattr(rounds, name)
        axes.barh(place, sorted(found)[len(found) // 2], color="tab:blue", alpha=0.6)
        axes.plot(found, [place] * len(found), "k.", markersize=5)
    axes.set_yticks(range(len(PICTURED)), reversed(PICTURED.values()))
    axes.set_xlabel("texts a second")


if __name__ == "__main__":
    sys.exit(main())
