"""How long does the first answer of a cold model take, its bytes in the page cache?

Beside it: opening a session in the same way and running it once, without the service. The second
model of a service shares the first one's tokenizer.
"""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from matplotlib.axes import Axes
from tokenizers import Tokenizer

from benchmarks import bare
from benchmarks.fleet import Fleet, fleet
from benchmarks.measure import Measuring
from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import UNCACHED, serving
from models.manifest import TOKENIZER

BLOCK = 2**24


@dataclass(slots=True)
class Rounds:
    """Seconds; one list a round of `cold` and `opened`."""

    first: list[float] = field(default_factory=list)
    cold: list[list[float]] = field(default_factory=list)
    opened: list[list[float]] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    tokenizer: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    tokenizer_bytes: list[float] = field(default_factory=list)
    model_bytes: list[float] = field(default_factory=list)


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__)
    measuring = Measuring.of(options)
    models = fleet(options, options.at_most(8, 4), options.precision)
    rounds = Rounds()
    for _ in range(options.rounds):
        one_round(models, measuring, rounds)
    result = Result(
        name="cold",
        question="How long does the first answer of a cold model take?",
        setup={
            "model": options.shape,
            "precision": options.precision,
            "models a round": len(models.languages) - 1,
        },
        claims=claims(rounds),
        beside={
            "cold answers ms": milliseconds(rounds.cold),
            "bare open + run ms": milliseconds(rounds.opened),
            "warm answer of the same text's length ms": [1000 * each for each in rounds.warm],
            "first model of the service, tokenizer included, ms": [
                1000 * each for each in rounds.first
            ],
            "bare tokenizer load ms": [1000 * each for each in rounds.tokenizer],
            "private MiB of the first model and the tokenizer": [
                each / 2**20 for each in rounds.tokenizer_bytes
            ],
            "private MiB of each further model": [each / 2**20 for each in rounds.model_bytes],
        },
    )
    return finish(result, options, lambda axes: draw(axes, rounds))


def one_round(models: Fleet, measuring: Measuring, rounds: Rounds) -> None:
    """Ask each model of a fresh service for the first time; open each without it."""
    text = max(measuring.corpus.texts("en", 20), key=len)[:80]
    for language in models.languages:
        read_all(models.folder(language))
    started = time.perf_counter()
    Tokenizer.from_file(str(models.folder("en") / TOKENIZER))
    rounds.tokenizer.append(time.perf_counter() - started)
    cold, opened = [], []
    with serving(models, measuring.options.home / "benchmarks", **UNCACHED) as service:
        process = service.process
        empty = process.private_bytes
        rounds.first.append(service.ask(text, models.languages[0]))
        one = process.private_bytes
        for language in models.languages[1:]:
            cold.append(service.ask(text, language))
            opened.append(open_and_run(models.folder(language), text))
        rounds.warm.append(median(service.ask(text, each) for each in models.languages))
        rounds.loads.append(service.metric("polysent_tokenizer_loads_total"))
        rounds.tokenizer_bytes.append(one - empty)
        rounds.model_bytes.append((process.private_bytes - one) / len(cold))
    rounds.cold.append(cold)
    rounds.opened.append(opened)


def read_all(folder: Path) -> None:
    """Bring every byte of a model into the page cache, the derived files included."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(BLOCK):
                    pass


def open_and_run(folder: Path, text: str) -> float:
    """Return the seconds of opening a model and running it once; its tokenizer is loaded."""
    rows = bare.encode(folder, [text])
    started = time.perf_counter()
    model = bare.open_one(folder, bare.cores())
    model.scores(rows)
    seconds = time.perf_counter() - started
    model.close()
    return seconds


def claims(rounds: Rounds) -> tuple[Claim, ...]:
    """Return what is held against the targets."""
    pairs = list(zip(rounds.cold, rounds.opened, strict=True))
    return (
        Claim(
            "first answer of a cold model / bare open + one run",
            tuple(median(cold) / median(opened) for cold, opened in pairs),
            "at most",
            1.5,
        ),
        Claim(
            "first answer of a cold model",
            tuple(1000 * median(cold) for cold in rounds.cold),
            "at most",
            200.0,
            " ms",
        ),
        Claim("tokenizers loaded for all models of a service", tuple(rounds.loads), "at most", 1),
    )


def milliseconds(found: list[list[float]]) -> list[float]:
    """Return all seconds of all rounds as milliseconds."""
    return [1000 * seconds for one in found for seconds in one]


def draw(axes: Axes, rounds: Rounds) -> None:
    """Draw every cold answer beside the bare engine's."""
    both = {"bare open + run": rounds.opened, "cold answer": rounds.cold}
    for place, found in enumerate(both.values()):
        values = milliseconds(found)
        axes.bar(place, median(values), color="tab:blue", alpha=0.6)
        axes.plot([place] * len(values), values, "k.", markersize=5)
    axes.set_xticks(range(2), both)
    axes.set_ylabel("milliseconds")


if __name__ == "__main__":
    sys.exit(main())
