"""How the service opens what a request needs: models by tag, tokenizers by content."""

from dataclasses import dataclass, field
from pathlib import Path

from models import memory
from models.artifact import Model
from models.engine.choose import Name, claims, open_engine
from models.identity import Tag
from models.manifest import TOKENIZER, Manifest
from models.store import Store
from models.tokens import Tokenizer

HEAP_PER_BYTE = 20
"""A tokenizer takes at most so many bytes for a byte of its file (facts: 17 for XLM-R's)."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer by the sha256 of its file, wherever that lies."""

    sha256: str
    path: Path = field(compare=False)

    def __str__(self) -> str:
        """Return what a log needs."""
        return f"tokenizer {self.sha256[:8]}"

    @classmethod
    def of(cls, folder: Path, manifest: Manifest) -> "Vocabulary":
        """Return the one that an artifact brings."""
        return cls(manifest.files[TOKENIZER].sha256, folder / TOKENIZER)


@dataclass(frozen=True, slots=True)
class Models:
    """Opens models of a store; each run of one may use `threads` cores."""

    store: Store
    threads: int
    engine: Name = "onnx"

    def claims(self, tag: Tag) -> int:
        """Return how many bytes it takes at most."""
        return claims(self.engine, self.store.path(tag), self.store.home)

    def open(self, tag: Tag) -> Model:
        """Open manifest and engine; the files are taken as verified."""
        folder = self.store.path(tag)
        engine = open_engine(self.engine, folder, self.threads, self.store.home)
        return Model(Manifest.read(folder), engine)


class OpenTokenizer:
    """A tokenizer with what it takes of the heap, as measured when it was loaded."""

    def __init__(self, path: Path) -> None:
        """Load it; the process's other work of that moment is in the measure."""
        before = memory.private()
        self.tokenizer = Tokenizer.read(path)
        self.nbytes = max(memory.private() - before, path.stat().st_size)

    def close(self) -> None:
        """Give the heap back."""
        del self.tokenizer
        memory.trim()


class Vocabularies:
    """Opens tokenizers."""

    def claims(self, vocabulary: Vocabulary) -> int:
        """Return how many bytes it takes at most."""
        return HEAP_PER_BYTE * vocabulary.path.stat().st_size

    def open(self, vocabulary: Vocabulary) -> OpenTokenizer:
        """Open it."""
        return OpenTokenizer(vocabulary.path)
