"""One version on its way into the store: fetched, verified, tried, published, prepacked."""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

from models.artifact import open_artifact
from models.errors import ArtifactCorrupt, PolysentError, RegistryUnavailable, StoreFailed
from models.identity import ModelId, Tag
from models.manifest import Manifest
from models.store import Store
from models.tokens import Tokenizers
from registry.disk import writing
from registry.progress import Say
from registry.source import Promoted, Registry
from registry.syncing.prepare import prepare
from registry.syncing.store import StoreWriter, verified

SMOKE_TEXT = "1 2 3"
"""Tokens that a tokenizer of any language has."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A version that could not be brought; what its language had goes on."""

    model: ModelId
    reason: str
    code: str
    """The error's stable name."""

    @classmethod
    def of(cls, model: ModelId, error: Exception) -> "Failure":
        """Return what an error means for a model."""
        code = error.code if isinstance(error, PolysentError) else StoreFailed.code
        return cls(model, str(error), code)


@dataclass(frozen=True, slots=True)
class Brought:
    """A version that is in the store now; bytes of its files."""

    tag: Tag
    nbytes: int


def fetch(
    registry: Registry, store: Store, writer: StoreWriter, promoted: Promoted, say: Say
) -> Brought | Failure | None:
    """Bring one version; None where another process is just doing that.

    What came over a line that was cut is kept for the next attempt; what proved wrong, or filled
    the disk, is not.
    """
    try:
        with writer.staged(promoted) as folder:
            if folder is None:
                return None
            say(f"fetch {promoted.model}")
            try:
                brought = _brought(registry, writer, promoted, folder)
            except RegistryUnavailable:
                raise
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        prepare(store, brought.tag, say)
    except (PolysentError, OSError) as error:
        say(f"{promoted.model} is not brought: {error}")
        return Failure.of(promoted.model, error)
    return brought


def _brought(registry: Registry, writer: StoreWriter, promoted: Promoted, folder: Path) -> Brought:
    with writing(folder):
        registry.download(promoted.model, folder)
    tag = verified(folder, promoted)
    smoke(folder)
    nbytes = Manifest.read(folder).nbytes
    writer.publish(folder, tag)
    return Brought(tag, nbytes)


def smoke(folder: Path) -> None:
    """Open an artifact and answer one text; ArtifactCorrupt where that fails or is no number."""
    manifest = Manifest.read(folder)
    try:
        (row,) = open_artifact(folder, Tokenizers(), threads=1)([SMOKE_TEXT])
    except Exception as error:  # each library below fails in its own way
        reason = f"it does not answer: {type(error).__name__}: {error}"
        raise ArtifactCorrupt(manifest.language, [reason]) from error
    if not all(map(math.isfinite, row.values())):
        raise ArtifactCorrupt(manifest.language, [f"its scores are no numbers: {row}"])
