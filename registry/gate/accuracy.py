"""How right answers are: accuracy, macro-F1, and what resampling says of F1."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.certificate import Interval
from models.labels import LABELS, Label

RESAMPLES = 1000
SEED = 20261122
"""Of the bootstrap: the same rows give the same interval."""
TAIL = 2.5
"""Percent on each side of a 95 % interval."""

Weights = NDArray[np.float64]
"""(resamples, rows): how often each row was drawn."""


def hits(answers: Sequence[Label], truth: Sequence[Label]) -> list[bool]:
    """Return whether each answer is its label; ValueError where they differ in number."""
    return [answer == label for answer, label in zip(answers, truth, strict=True)]


def macro_f1(answers: Sequence[Label], truth: Sequence[Label]) -> float:
    """Return the mean F1 of the labels that are answered or true on some row, 0 to 1."""
    return float(_macro_f1(answers, truth, np.ones((1, len(truth))))[0])


def macro_f1_interval(answers: Sequence[Label], truth: Sequence[Label]) -> Interval:
    """Return the interval of macro-F1, by bootstrap over rows."""
    return _interval(_macro_f1(answers, truth, _drawn(len(truth))))


def macro_f1_difference(
    new: Sequence[Label], old: Sequence[Label], truth: Sequence[Label]
) -> Interval:
    """Return the interval of macro-F1 of `new` minus that of `old`, on the same drawn rows."""
    drawn = _drawn(len(truth))
    return _interval(_macro_f1(new, truth, drawn) - _macro_f1(old, truth, drawn))


def _drawn(rows: int) -> Weights:
    random = np.random.default_rng(SEED)
    return random.multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES).astype(np.float64)


def _interval(values: Weights) -> Interval:
    low, high = np.percentile(values, (TAIL, 100 - TAIL))
    return float(low), float(high)


def _macro_f1(answers: Sequence[Label], truth: Sequence[Label], drawn: Weights) -> Weights:
    given, right = _one_hot(answers), _one_hot(truth)
    both = 2 * drawn @ (given * right)
    either = drawn @ (given + right)
    occurs = either > 0
    f1 = np.divide(both, either, out=np.zeros_like(both), where=occurs)
    mean: Weights = f1.sum(axis=1) / occurs.sum(axis=1)
    return mean


def _one_hot(labels: Sequence[Label]) -> Weights:
    return np.array([[float(label == name) for name in LABELS] for label in labels])
