"""The reference engine: a checkpoint folder, run by transformers in fp32."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification

from models.errors import ModelUnavailable
from models.tokens import Batch

CONFIG = "config.json"


class TorchEngine:
    """One model of transformers."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Load a checkpoint; ModelUnavailable where it is none. `threads` holds for the process."""
        if not (folder / CONFIG).is_file():
            message = f"{folder} is no checkpoint: it has no {CONFIG}; artifacts are for onnx"
            raise ModelUnavailable(message)
        torch.set_num_threads(threads)
        model, missing = load(folder)
        if missing:
            message = f"{folder} has no {', '.join(missing[:3])} ({len(missing)} in all)"
            raise ModelUnavailable(message)
        self._model = model
        self.nbytes = sum(part.nbytes for part in model.parameters())

    def run(self, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
        """Return the logits (rows, labels); it shares its cores by itself."""
        del alone
        with torch.inference_mode():
            answer = self._model(
                input_ids=torch.from_numpy(batch.input_ids),
                attention_mask=torch.from_numpy(batch.attention_mask),
            )
        return np.asarray(answer.logits.numpy(), dtype=np.float32)

    def close(self) -> None:
        """Drop the weights."""
        del self._model


def load(folder: Path) -> tuple[Any, list[str]]:
    """Load a checkpoint in fp32, from safetensors only; return it and the weights it lacks.

    OSError, ValueError or RuntimeError say why it can't be loaded.
    """
    model, info = AutoModelForSequenceClassification.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        dtype=torch.float32,
        attn_implementation="eager",
        output_loading_info=True,
    )
    return model.eval(), sorted(info["missing_keys"])
