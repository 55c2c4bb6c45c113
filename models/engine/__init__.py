"""The engine seam: what runs a model."""

import os
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.tokens import Batch

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime 1.31 reports to its makers


class Engine(Protocol):
    """One opened model; `run` may be called by several threads at once."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory, as measured best: pages mapped now, and what is held privately."""
        ...

    def run(self, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
        """Return the logits (rows, labels); row i answers row i of the batch.

        `alone` it takes all cores that it was opened for, else one: others run beside it.
        """
        ...

    def close(self) -> None:
        """Give the memory back; no call may follow."""
        ...
