"""Weights to int8, so that no CPU overflows: each column has a scale, each pair of rows a limit.

AVX2 without VNNI adds two products of a byte and a weight in 16 bits and saturates. With pairs of
weights that add up to 128 at most the sum is at most 255 x 128, which fits.
"""

import numpy as np

from registry.export.files import Array

HIGHEST = 127
PAIR = 128
TINY = 1e-12
DAMPING = 0.1
"""Of the mean of the diagonal."""
AT_ONCE = 128
"""Rows whose corrections are kept back and then applied together."""


def safe_scales(weights: Array) -> Array:
    """Return the scale of each column: the smallest with which neither limit cuts much."""
    even = np.zeros((len(weights) + len(weights) % 2, weights.shape[1]), np.float32)
    even[: len(weights)] = weights
    pairs = even.reshape(-1, 2, weights.shape[1])
    above = np.maximum(pairs, 0).sum(axis=1).max(axis=0)
    below = np.maximum(-pairs, 0).sum(axis=1).max(axis=0)
    single = np.abs(weights).max(axis=0) / HIGHEST
    scales: Array = np.maximum(np.maximum(above, below) / PAIR, np.maximum(single, TINY))
    return scales.astype(np.float32)


def nearest(weights: Array, scales: Array) -> Array:
    """Return the nearest integers within the limits, (rows, columns) int8."""
    found = np.empty(weights.shape, np.int8)
    before = np.zeros(weights.shape[1], np.float32)
    for index, row in enumerate(weights):
        before = _row(row, scales, before if index % 2 else None)
        found[index] = before
    return found


def factor(values: Array, dropped: Array) -> Array | None:
    """Return how inputs (tokens, rows) move together, for `steered`; None where none moves.

    The upper Cholesky factor of the inverse of their second moments; rows in `dropped` are still.
    """
    seen = np.array(values, np.float64)
    seen[:, dropped] = 0
    moments = seen.T @ seen
    level = float(np.mean(np.diag(moments)))
    if not level > 0:
        return None
    moments[np.diag_indices(len(moments))] += DAMPING * level
    upper: Array = np.linalg.cholesky(np.linalg.inv(moments)).T
    return upper.astype(np.float32)


def steered(weights: Array, scales: Array, together: Array) -> Array:
    """Return integers whose products with what was seen come near those of the weights.

    GPTQ: what a row lost by rounding is made up for in the rows below it, as far as their inputs
    move together, which `factor` tells.
    """
    left, found = np.array(weights, np.float32), np.empty(weights.shape, np.int8)
    for start in range(0, len(left), AT_ONCE):
        end = min(start + AT_ONCE, len(left))
        errors = _steer(left[start:end], together[start:end, start:end], scales, found[start:end])
        left[end:] -= together[start:end, end:].T @ errors
    return found


def _steer(left: Array, together: Array, scales: Array, found: Array) -> Array:
    """Round some rows, each made up for in those below it; return the errors to make up for."""
    errors = np.empty_like(left)
    for index in range(len(left)):
        partner = found[index - 1].astype(np.float32) if index % 2 else None
        row = _row(left[index], scales, partner)
        found[index] = row
        errors[index] = (left[index] - row * scales) / together[index, index]
        left[index + 1 :] -= np.outer(together[index, index + 1 :], errors[index])
    return errors


def _row(weights: Array, scales: Array, partner: Array | None) -> Array:
    """Return the nearest integers of one row; `partner` is the row that it is added up with."""
    row: Array = np.clip(np.round(weights / scales), -HIGHEST, HIGHEST)
    if partner is None:
        return row
    return np.clip(row, -PAIR - np.minimum(partner, 0), PAIR - np.maximum(partner, 0))
