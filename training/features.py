"""What a head sees of a text: a checkpoint's pooled output, by PyTorch in float32."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, PreTrainedTokenizerFast

from training.checkpoint import POOLER_SCALE
from training.e5 import Array

MAX_TOKENS = 256
TOKENS_AT_ONCE = 2048


def features(directory: Path, texts: Sequence[str]) -> Array:
    """Return what the head sees of each text, float32 (len(texts), hidden).

    Texts are cut to 256 tokens; the classifier of the checkpoint is not used.
    """
    model = AutoModel.from_pretrained(directory).eval()
    pooled = _run(directory, texts, lambda batch: model(**batch).pooler_output)
    return pooled / np.float32(POOLER_SCALE)


def _run(
    directory: Path, texts: Sequence[str], forward: Callable[[Mapping[str, Any]], Any]
) -> Array:
    """Return one row a text, in order, from batches of texts of like length."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    cut = partial(tokenizer, truncation=True, max_length=MAX_TOKENS)
    rows: dict[int, Array] = {}
    with torch.inference_mode():
        for chosen in batches([len(ids) for ids in cut(list(texts))["input_ids"]]):
            batch = cut([texts[index] for index in chosen], padding=True, return_tensors="pt")
            rows |= zip(chosen, forward(batch).numpy(), strict=True)
    return np.stack([rows[index] for index in range(len(texts))])


def batches(lengths: Sequence[int], most: int = TOKENS_AT_ONCE) -> Iterator[list[int]]:
    """Yield each index once, shortest first, in groups of at most `most` padded tokens."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > most:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
