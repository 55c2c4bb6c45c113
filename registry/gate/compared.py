"""One text that an export and its reference have answered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from models.labels import Label, Scores, best

DIGITS = 6
"""Decimals of the figures in the manifest: the last bits differ from machine to machine."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one text; `right` and `right_fp32` only where its label is known."""

    length: int
    """Characters."""
    origin: str
    same: bool
    """Whether both chose one label."""
    change: float
    """Of the positive label's probability, absolute."""
    right: bool | None = None
    right_fp32: bool | None = None


def compare(
    text: str, origin: str, ours: Scores, theirs: Scores, label: Label | None = None
) -> Compared:
    """Compare two answers to a text; a score that is no number agrees with nothing."""
    finite = all(map(math.isfinite, ours.values()))
    return Compared(
        length=len(text),
        origin=origin,
        same=finite and best(ours) == best(theirs),
        change=abs(ours["positive"] - theirs["positive"]),
        right=None if label is None else finite and best(ours) == label,
        right_fp32=None if label is None else best(theirs) == label,
    )


def agreement(rows: Sequence[Compared]) -> float:
    """Return the share of rows with the same label, 0 where there are none."""
    return mean([row.same for row in rows])


def mean_change(rows: Sequence[Compared]) -> float:
    """Return the mean change of the positive score."""
    return mean([row.change for row in rows])


def p95_change(rows: Sequence[Compared]) -> float | None:
    """Return what 95 % of the changes stay below (nearest rank); None without rows."""
    ordered = sorted(row.change for row in rows)
    return round(ordered[math.ceil(0.95 * len(ordered)) - 1], DIGITS) if ordered else None


def accuracy(rows: Sequence[Compared]) -> tuple[float | None, float | None]:
    """Return how often fp32 and how often the export is right; None where no label is known."""
    known = [(row.right_fp32, row.right) for row in rows if row.right is not None]
    if not known:
        return None, None
    return mean([bool(theirs) for theirs, _ in known]), mean([bool(ours) for _, ours in known])


def mean(values: Sequence[float]) -> float:
    """Return the mean, rounded to DIGITS; 0 of nothing."""
    return round(fmean(values), DIGITS) if values else 0.0
