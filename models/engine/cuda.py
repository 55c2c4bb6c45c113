"""The CUDA engine: ONNX Runtime on an NVIDIA card, the same portable `model.onnx`."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models import card
from models.engine.onnx import logits, session_options, size
from models.errors import ModelUnavailable
from models.manifest import MODEL, Manifest
from models.tokens import Batch

OPTIONS = {"arena_extend_strategy": "kSameAsRequested", "use_tf32": "0"}
"""Each session has an arena, so none grows by doubling; fp32 stays what the gate has seen."""
FOR_CPUS = "int8"
"""What the precisions begin with that are made for the integer products of CPUs."""


class CudaEngine:
    """One session on the card; runs of several threads share it."""

    def __init__(self, folder: Path) -> None:
        """Open it; ModelUnavailable where there is no card, or where this would not run on it."""
        precision = Manifest.read(folder).precision
        if precision.startswith(FOR_CPUS):
            message = (
                f"{precision} is a form for CPUs, which a card would be slow with: "
                "register the model with --rung fp16"
            )
            raise ModelUnavailable(message)
        card.require(card.ENGINE)
        self._session: onnxruntime.InferenceSession | None = onnxruntime.InferenceSession(
            folder / MODEL,
            session_options(threads=1),
            providers=[(card.PROVIDER, OPTIONS), "CPUExecutionProvider"],
            enable_fallback=0,
        )
        if card.PROVIDER not in self._session.get_providers():
            message = "ONNX Runtime could not load its CUDA provider; its log says what is missing"
            raise ModelUnavailable(message)
        self._takes = {value.name for value in self._session.get_inputs()}
        self.nbytes = size(folder)

    def run(self, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
        """Return the logits (rows, labels); the card shares itself out."""
        del alone
        if self._session is None:
            message = "the engine is closed"
            raise RuntimeError(message)
        return logits(self._session, batch, self._takes)

    def close(self) -> None:
        """Give the card's memory back; runs under way end first."""
        self._session = None
