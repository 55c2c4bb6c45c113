"""Texts to token ids: one tokenizer per content, however many models use it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding
from tokenizers import Tokenizer as HFTokenizer

from models.manifest import TOKENIZER, Manifest


class Tokenizer:
    """Text to token ids, cut to a number of tokens; safe to call from several threads."""

    def __init__(self, backend: HFTokenizer) -> None:
        """Take a tokenizer over; its own padding and truncation are switched off."""
        backend.no_padding()
        backend.no_truncation()
        self._backend = backend

    @classmethod
    def read(cls, path: Path) -> Self:
        """Load `tokenizer.json`; from memory, which takes a third less time than from the file."""
        return cls(HFTokenizer.from_buffer(path.read_bytes()))

    def encode(self, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
        """Return the ids of each text, special tokens included, at most max_tokens of them.

        A text that is cut keeps its closing special tokens.
        """
        return [_cut(encoding, max_tokens) for encoding in self._backend.encode_batch_fast(texts)]


def _cut(encoding: Encoding, max_tokens: int) -> list[int]:
    ids: list[int] = encoding.ids
    if len(ids) <= max_tokens:
        return ids
    closing = len(list(takewhile(bool, reversed(encoding.special_tokens_mask))))
    return ids[: max_tokens - closing] + ids[len(ids) - closing :]


class Tokenizers:
    """Every tokenizer in this process, by the sha256 of its file: none is loaded twice."""

    def __init__(self) -> None:
        """Start empty."""
        self._loaded: dict[str, Tokenizer] = {}
        self._lock = threading.Lock()

    def open(self, folder: Path, manifest: Manifest) -> Tokenizer:
        """Return the tokenizer of an artifact, loading it where no other model has."""
        digest = manifest.files[TOKENIZER].sha256
        with self._lock:
            if digest not in self._loaded:
                self._loaded[digest] = Tokenizer.read(folder / TOKENIZER)
            return self._loaded[digest]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of token ids as the engine takes them; both arrays are (rows, longest), int64."""

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]


def pad(rows: Sequence[Sequence[int]], pad_token_id: int) -> Batch:
    """Make one rectangle of rows of token ids, filled on the right."""
    longest = max(map(len, rows))
    input_ids = np.full((len(rows), longest), pad_token_id, dtype=np.int64)
    attention_mask = np.zeros((len(rows), longest), dtype=np.int64)
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = row
        attention_mask[index, : len(row)] = 1
    return Batch(input_ids, attention_mask)
