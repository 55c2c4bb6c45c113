"""The service with an engine that fails on a marker and writes down what it computes.

`bentoml serve benchmarks.poisoned:Polysent`; POISON_TOKEN is the marker's id, POISON_LOG the file.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.engine_log import note
from models.engine.onnx import OnnxEngine
from models.tokens import Batch
from service import Polysent

__all__ = ["Polysent"]

_unmarked = OnnxEngine.run


def marked(self: OnnxEngine, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
    """Write down the rows, then fail on the marker or run."""
    lengths = batch.attention_mask.sum(axis=1)
    rows = [ids[:length] for ids, length in zip(batch.input_ids, lengths, strict=True)]
    note(Path(os.environ["POISON_LOG"]), rows)
    if (batch.input_ids == int(os.environ["POISON_TOKEN"])).any():
        message = "poison"
        raise RuntimeError(message)
    return _unmarked(self, batch, alone=alone)


OnnxEngine.run = marked  # type: ignore[method-assign]
