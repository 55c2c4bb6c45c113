"""Which pieces a trimmed word table keeps: those that the texts of a model are made of."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

MOST = 12_000
"""Pieces: an XLM-R-large then takes less than a fifth of its fp32 weights."""
AT_ONCE = 1000
"""Texts."""


@dataclass(frozen=True, slots=True)
class Trim:
    """Texts like those that a model will be asked, and how many of their pieces are kept."""

    texts: tuple[str, ...]
    most: int = MOST


def pieces(tokenizer: Path, trim: Trim) -> list[int]:
    """Return the ids of the pieces to keep, rising.

    They are the most frequent ones of the texts, up to `most`, and all special tokens besides.
    """
    from tokenizers import Tokenizer  # noqa: PLC0415  (a card is read without it)

    backend = Tokenizer.from_file(str(tokenizer))
    backend.no_padding()
    backend.no_truncation()
    special = {*backend.encode("").ids, *backend.get_added_tokens_decoder()}
    found: Counter[int] = Counter()
    for start in range(0, len(trim.texts), AT_ONCE):
        for encoded in backend.encode_batch(list(trim.texts[start : start + AT_ONCE])):
            found.update(encoded.ids)
    ranked = sorted(found.keys() - special, key=lambda piece: (-found[piece], piece))
    return sorted(special.union(ranked[: trim.most]))
