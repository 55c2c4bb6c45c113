"""Confidence intervals, 95 %, of what was counted on few rows."""

from math import sqrt

from models.certificate import Interval

Z = 1.959964
"""Standard errors on each side that hold 95 % of a normal distribution."""


def wilson(hits: int, rows: int) -> Interval:
    """Return the interval of a share (Wilson 1927); (0, 1) where there are no rows."""
    if not rows:
        return 0.0, 1.0
    share, square = hits / rows, Z * Z
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = Z * sqrt(share * (1 - share) / rows + square / (4 * rows**2)) / (1 + square / rows)
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(both: int, first: int, second: int, neither: int) -> Interval:
    """Return the interval of a paired difference of shares, first minus second.

    The arguments count rows on which both, only the first, only the second, or neither were right
    (Newcombe 1998, Statistics in Medicine 17:2635, method 10).
    """
    rows = both + first + second + neither
    if not rows:
        return -1.0, 1.0
    one, other = (both + first) / rows, (both + second) / rows
    (low_one, high_one), (low_other, high_other) = (
        wilson(both + first, rows),
        wilson(both + second, rows),
    )
    phi = _correlation(both, first, second, neither)
    below = _distance(one - low_one, high_other - other, phi)
    above = _distance(high_one - one, other - low_other, phi)
    return one - other - below, one - other + above


def _distance(left: float, right: float, phi: float) -> float:
    return sqrt(max(0.0, left**2 - 2 * phi * left * right + right**2))


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    """Return phi of the two columns, with the continuity correction; 0 where one never varies."""
    rows = both + first + second + neither
    product = (both + first) * (second + neither) * (both + second) * (first + neither)
    if not product:
        return 0.0
    cross = float(both * neither - first * second)
    if cross > 0:
        cross = max(cross - rows / 2, 0.0)
    return cross / sqrt(product)
