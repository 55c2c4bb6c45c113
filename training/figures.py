"""Accuracy and what belongs to it, from answers and labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import stdev


@dataclass(frozen=True, slots=True)
class Figures:
    """How right a model was on some rows, 0 to 1."""

    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of a paired difference in accuracy, and the standard error of that mean."""

    mean: float
    standard_error: float


def figures(answers: Sequence[int], labels: Sequence[int]) -> Figures:
    """Return the figures of answers (0 or 1) against labels (0 or 1) of the same rows."""
    hits = sum(correct(answers, labels))
    return Figures(hits / len(labels), (_f1(answers, labels, 0) + _f1(answers, labels, 1)) / 2)


def correct(answers: Sequence[int], labels: Sequence[int]) -> list[int]:
    """Return 1 for each answer that is its label, else 0."""
    return [int(answer == label) for answer, label in zip(answers, labels, strict=True)]


def paired(first: Sequence[int], second: Sequence[int], labels: Sequence[int]) -> Difference:
    """Return how much more often `first` was right than `second` on the same rows."""
    hits = zip(correct(first, labels), correct(second, labels), strict=True)
    differences = [one - other for one, other in hits]
    error = stdev(differences) / sqrt(len(differences)) if len(differences) > 1 else 0.0
    return Difference(sum(differences) / len(differences), error)


def _f1(answers: Sequence[int], labels: Sequence[int], of: int) -> float:
    both = sum(a == b == of for a, b in zip(answers, labels, strict=True))
    either = sum(a == of for a in answers) + sum(b == of for b in labels)
    return 2 * both / either if either else 0.0
