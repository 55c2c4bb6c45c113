"""How fast one model is beside another, on this machine and now."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from registry.gate.evidence import Answer

TEXTS = 4
ROUNDS = 5
"""At most; a slow pair gets LEAST."""
LEAST = 3
SECONDS = 1.5
"""After which no further round begins."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Pace:
    """Medians of interleaved rounds: core seconds a text, how many times as fast as the other."""

    seconds: float
    speed: float


def interleaved(
    ours: Answer, other: Answer, texts: Sequence[str], clock: Clock = time.process_time
) -> Pace:
    """Time two models in turn on the same texts, each first in every second round.

    What else the machine does then hits both; the first run of each is not counted.
    """
    ours(texts)
    other(texts)
    rounds: list[tuple[float, float]] = []
    began = clock()
    while len(rounds) < LEAST or (len(rounds) < ROUNDS and clock() - began < SECONDS):
        rounds.append(_round(ours, other, texts, clock, swapped=len(rounds) % 2 == 1))
    return Pace(
        seconds=round(median(mine for mine, _ in rounds) / len(texts), 6),
        speed=round(median(theirs / mine for mine, theirs in rounds), 3),
    )


def sample(texts: Sequence[str], count: int = TEXTS) -> list[str]:
    """Return a few texts of all lengths, always the same ones."""
    ordered = sorted(dict.fromkeys(texts), key=lambda text: (len(text), text))
    count = min(count, len(ordered))
    return [ordered[(2 * index + 1) * len(ordered) // (2 * count)] for index in range(count)]


def _round(
    ours: Answer, other: Answer, texts: Sequence[str], clock: Clock, *, swapped: bool
) -> tuple[float, float]:
    models = (other, ours) if swapped else (ours, other)
    first, second = (_seconds(model, texts, clock) for model in models)
    return (second, first) if swapped else (first, second)


def _seconds(model: Answer, texts: Sequence[str], clock: Clock) -> float:
    began = clock()
    model(texts)
    return max(clock() - began, 1e-9)
