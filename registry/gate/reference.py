"""The fp32 reference: the checkpoint itself, in torch, with the tokenizer of transformers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.labels import Scores, scores
from registry.checkpoints.checkpoint import Checkpoint
from registry.export.torch_model import load
from registry.quiet import quiet

ROWS_AT_ONCE = 16


class Reference:
    """Scores as the checkpoint itself gives them; row i answers text i."""

    def __init__(self, checkpoint: Checkpoint, max_tokens: int | None = None) -> None:
        """Load the checkpoint; CheckpointRefused where it can't be loaded whole.

        `max_tokens` is how much of a text is read; what the model takes, if left out.
        """
        with quiet():
            from transformers import AutoTokenizer  # noqa: PLC0415  (heavy)

            self._checkpoint = checkpoint
            self._max_tokens = max_tokens or checkpoint.max_tokens
            self._model = load(checkpoint)
            tokenizers: Any = AutoTokenizer
            self._tokenizer = tokenizers.from_pretrained(
                checkpoint.path, local_files_only=True, trust_remote_code=False, use_fast=True
            )

    def __call__(self, texts: Sequence[str]) -> list[Scores]:
        """Answer texts in small batches of like length, in the order given."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        answers: dict[int, Scores] = {}
        for start in range(0, len(order), ROWS_AT_ONCE):
            chosen = order[start : start + ROWS_AT_ONCE]
            answers.update(
                zip(chosen, self._batch([texts[index] for index in chosen]), strict=True)
            )
        return [answers[index] for index in range(len(texts))]

    def _batch(self, texts: list[str]) -> list[Scores]:
        import torch  # noqa: PLC0415  (heavy)

        with quiet(), torch.inference_mode():
            tokens = self._tokenizer(
                texts,
                padding=True,
                truncation=True,
                max_length=self._max_tokens,
                return_tensors="pt",
            )
            logits = self._model(**tokens).logits.numpy()
        return scores(np.asarray(logits, dtype=np.float32), self._checkpoint.unified)
