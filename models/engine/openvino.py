"""The OpenVINO engine: CPU, the same portable `model.onnx`; the extra `[openvino]`."""

import threading
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from models import memory
from models.engine.onnx import size
from models.errors import ModelUnavailable
from models.manifest import MODEL
from models.tokens import Batch


class OpenVinoEngine:
    """One compiled model; runs of several threads share its streams."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Compile the model; ModelUnavailable where OpenVINO does not know an operator of it."""
        before = memory.private()
        streams = max(1, memory.cores() // threads)
        try:
            self._model = openvino.Core().compile_model(
                folder / MODEL,
                "CPU",
                {
                    "INFERENCE_NUM_THREADS": threads * streams,
                    "NUM_STREAMS": streams,
                    "INFERENCE_PRECISION_HINT": "f32",
                },
            )
        except RuntimeError as error:
            message = f"OpenVINO can't run {folder / MODEL}: {error}"
            raise ModelUnavailable(message) from error
        self._takes = {name for value in self._model.inputs for name in value.get_names()}
        self._requests = threading.local()
        self.nbytes = max(memory.private() - before, size(folder))

    def run(self, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
        """Return the logits (rows, labels); it shares its cores by itself."""
        del alone
        if not hasattr(self._requests, "mine"):
            self._requests.mine = self._model.create_infer_request()
        feeds = {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "token_type_ids": np.zeros_like(batch.input_ids),
        }
        found = self._requests.mine.infer(
            {name: array for name, array in feeds.items() if name in self._takes}
        )
        return np.array(found["logits"], dtype=np.float32)

    def close(self) -> None:
        """Drop the compiled model and this thread's request."""
        self._requests = threading.local()
        del self._model
