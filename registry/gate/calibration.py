"""Whether a score of 0.8 is right four times out of five."""

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from models.labels import Label, Scores, best

BINS = 10


def calibration_error(rows: Sequence[Scores], truth: Sequence[Label]) -> float:
    """Return the expected calibration error, 0 to 1, over BINS of equal width.

    ValueError where rows and labels differ in number.
    """
    bins: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    for row, label in zip(rows, truth, strict=True):
        chosen = best(row)
        score = min(max(row[chosen], 0.0), 1.0) if math.isfinite(row[chosen]) else 0.0
        bins[min(int(score * BINS), BINS - 1)].append((score, chosen == label))
    gaps = (
        len(pairs) * abs(fmean(score for score, _ in pairs) - fmean(right for _, right in pairs))
        for pairs in bins.values()
    )
    return sum(gaps) / len(rows) if rows else 0.0
