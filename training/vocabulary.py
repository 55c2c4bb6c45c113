"""Which pieces of the shared 250,000-piece vocabulary one language keeps.

Taking pieces out of a unigram vocabulary changes the tokens of a text only if one of them was on
its best path. So a language keeps what its words are made of, and single characters for the rest.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Protocol

UNDERLINE = "\u2581"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
SCRIPT_PIECES = 24_000
SCRIPT_PIECES_BESIDE_WORDS = 16_000
WORDS = 40_000
FOREIGN_LATIN_PIECES = 3_000
COMMON_SYMBOLS = 60_000
LATIN = frozenset({"LATIN"})


class Encoder(Protocol):
    """What of `tokenizers.Tokenizer` is used here."""

    def encode_batch(self, texts: list[str], *, add_special_tokens: bool) -> list[Any]:
        """Return one encoding, with its `ids`, for each text."""
        ...


@cache
def _script(char: str) -> str:
    return unicodedata.name(char, "?").partition(" ")[0]


def scripts(piece: str) -> frozenset[str]:
    """Return the scripts of the letters of a piece, by the first words of their Unicode names."""
    return frozenset(_script(char) for char in piece if char.isalpha())


def by_script(
    piece_scripts: Sequence[frozenset[str]], wanted: frozenset[str], most: int
) -> set[int]:
    """Return the `most` most frequent pieces written in the wanted scripts alone.

    `piece_scripts` is in the order of the vocabulary, which is that of frequency. Languages of
    another script keep some Latin pieces as well: names, brands, units.
    """
    own = [index for index, found in enumerate(piece_scripts) if found and found <= wanted]
    latin = [index for index, found in enumerate(piece_scripts) if found == LATIN]
    return {*own[:most], *(latin[:FOREIGN_LATIN_PIECES] if not wanted >= LATIN else ())}


def indispensable(
    pieces: Sequence[str], piece_scripts: Sequence[frozenset[str]], wanted: frozenset[str]
) -> set[int]:
    """Return the special pieces, the symbols, and every single letter of the wanted scripts."""
    kept = {index for index, piece in enumerate(pieces) if piece in SPECIAL}
    for index, (piece, found) in enumerate(zip(pieces, piece_scripts, strict=True)):
        single = len(piece.removeprefix(UNDERLINE)) <= 1
        if (not found and (single or index < COMMON_SYMBOLS)) or (single and found <= wanted):
            kept.add(index)
    return kept


def by_words(words: Iterable[str], encoder: Encoder) -> set[int]:
    """Return the pieces that the words, as written and capitalised, are made of."""
    texts = [form for word in words for form in (word, word.capitalize())]
    encodings = encoder.encode_batch(texts, add_special_tokens=False)
    return {index for encoding in encodings for index in encoding.ids}
