"""The ONNX Runtime engine: CPU, weights in one external file."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.manifest import MODEL, WEIGHTS
from models.tokens import Batch


class OnnxEngine:
    """One ONNX Runtime session over `model.onnx` and `model.bin`."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Open the session; `threads` is how many cores one run may use."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: onnxruntime.InferenceSession | None = onnxruntime.InferenceSession(
            folder / MODEL, options, providers=["CPUExecutionProvider"]
        )
        self._takes = {value.name for value in self._session.get_inputs()}
        self.nbytes = (folder / MODEL).stat().st_size + (folder / WEIGHTS).stat().st_size

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """Return the logits (rows, labels)."""
        if self._session is None:
            message = "the engine is closed"
            raise RuntimeError(message)
        feeds = {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "token_type_ids": np.zeros_like(batch.input_ids),
        }
        (logits,) = self._session.run(
            ["logits"], {name: array for name, array in feeds.items() if name in self._takes}
        )
        return np.asarray(logits, dtype=np.float32)

    def close(self) -> None:
        """Drop the session, and with it the mapping."""
        self._session = None
