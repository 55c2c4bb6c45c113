"""How the service opens what a request needs: models by tag, tokenizers by content."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import memory
from models.artifact import Model
from models.engine import Engine
from models.engine.choose import Name, claims, open_engine
from models.errors import ManifestInvalid, ModelUnavailable
from models.identity import Tag
from models.leases import Leases
from models.manifest import TOKENIZER, Manifest
from models.store import Store
from models.tokens import Batch, Tokenizer

_LOG = logging.getLogger(__name__)

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
class LeasedEngine:
    """An engine whose files nobody removes before it is closed."""

    engine: Engine
    held: ExitStack

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.engine.nbytes

    def run(self, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
        """Return the logits."""
        return self.engine.run(batch, alone=alone)

    def close(self) -> None:
        """Close it, and let its files go."""
        with self.held:
            self.engine.close()


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
        """Open manifest and engine; the files are taken as verified.

        ModelUnavailable where it is being removed.
        """
        folder = self.store.path(tag)
        with ExitStack() as held:
            self._lease(tag, held)
            manifest = Manifest.read(folder)
            engine = open_engine(self.engine, folder, self.threads, self.store.home)
            return Model(manifest, LeasedEngine(engine, held.pop_all()))

    def check(self, tag: Tag) -> None:
        """Want all files to be there, as large as promised; ModelUnavailable says which are not.

        Nothing is opened, and nothing is read but the manifest.
        """
        folder = self.store.path(tag)
        with ExitStack() as held:
            self._lease(tag, held)
            try:
                files = Manifest.read(folder).files
            except ManifestInvalid as error:
                _LOG.warning("%s", error)
                message = f"{tag.model} can't be opened: its manifest is missing or invalid"
                raise ModelUnavailable(message) from error
            for name, file in files.items():
                if (found := _size(folder / name)) != file.size:
                    message = (
                        f"{tag.model} can't be opened: {name} has {found} bytes of {file.size}"
                    )
                    raise ModelUnavailable(message)

    def _lease(self, tag: Tag, held: ExitStack) -> None:
        try:
            lease = Leases(self.store).use(tag)
        except OSError as error:
            _LOG.warning("nothing keeps %s from being removed: %s", tag, error)
            return
        if lease is None:
            message = f"{tag.model} is being removed"
            raise ModelUnavailable(message)
        held.callback(lease.release)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


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
