"""Embedding rows in 3 bits: two bits of a value in one table, the third in another one.

Both are read through small tables of what a byte stands for, so that no operator is needed which
knows of 3 bits.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from registry.export.files import Array
from registry.export.tables import AT_ONCE, whole

LEVELS = 8
MIDDLE = (LEVELS - 1) / 2
STEP = 0.586
"""Times the root mean square of a row: the step of 8 levels that loses least where values are
normally distributed (Max 1960, Quantizing for minimum distortion)."""
BYTES = np.arange(256, dtype=np.uint8)
FOURS = 2.0 * (BYTES[:, None] >> np.array([0, 2, 4, 6], np.uint8) & 3).astype(np.float32) - 3
"""What a byte of `Coarse.fours` stands for, (256, 4)."""
EIGHTS = np.unpackbits(BYTES[:, None], axis=1, bitorder="little").astype(np.float32) - 0.5
"""What a byte of `Coarse.eights` stands for, (256, 8)."""


@dataclass(frozen=True, slots=True)
class Coarse:
    """Rows whose values are `(fours + eights) * step * spread + mean`."""

    fours: Array
    """The upper two bits, uint8 (rows, width / 4)."""
    eights: Array
    """The lowest bit, uint8 (rows, width / 8)."""
    steps: Array
    """Of each row, fp32 (rows, 1)."""
    spread: Array
    """Of each column, fp32 (width)."""
    mean: Array
    """Of each column, fp32 (width)."""

    @classmethod
    def of(cls, table: Array, rows: Array) -> Self:
        """Round some rows of a table; ValueError where their width is no multiple of 8."""
        count, width = whole(len(rows)), table.shape[1]
        if width % 8:
            message = f"rows of {width} values are no multiple of 8"
            raise ValueError(message)
        mean, spread = _columns(table)
        fours = np.zeros((count, width // 4), np.uint8)
        eights = np.zeros((count, width // 8), np.uint8)
        steps = np.zeros((count, 1), np.float32)
        for start in range(0, len(rows), AT_ONCE):
            part = (np.asarray(table[rows[start : start + AT_ONCE]], np.float32) - mean) / spread
            here = slice(start, start + len(part))
            steps[here] = STEP * np.sqrt(np.square(part).mean(axis=1, keepdims=True))
            levels = np.floor(part / np.maximum(steps[here], np.finfo(np.float32).tiny))
            fours[here], eights[here] = _bytes(np.clip(levels + LEVELS // 2, 0, LEVELS - 1))
        return cls(fours, eights, steps, spread, mean)


def _columns(table: Array) -> tuple[Array, Array]:
    """Return the mean of each column and how far its values lie from it."""
    total = np.zeros(table.shape[1])
    squares = np.zeros(table.shape[1])
    for start in range(0, len(table), AT_ONCE):
        part = np.asarray(table[start : start + AT_ONCE], np.float64)
        total += part.sum(axis=0)
        squares += np.square(part).sum(axis=0)
    mean = total / len(table)
    spread = np.sqrt(np.maximum(squares / len(table) - np.square(mean), 0))
    spread[spread == 0] = 1
    return mean.astype(np.float32), spread.astype(np.float32)


def _bytes(levels: Array) -> tuple[Array, Array]:
    """Return levels 0 to 7, (rows, width), as bytes of their upper bits and of their lowest."""
    whole_numbers = levels.astype(np.uint8)
    upper = (whole_numbers >> 1).reshape(len(levels), -1, 4) << np.array([0, 2, 4, 6], np.uint8)
    lowest = np.packbits(whole_numbers & 1, axis=1, bitorder="little")
    return np.bitwise_or.reduce(upper, axis=2), lowest
