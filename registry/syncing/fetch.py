"""One version on its way into the store: fetched, verified, tried, prepacked, published."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from models.errors import PolysentError, RegistryUnavailable, StoreFailed
from models.identity import ModelId, Tag
from models.manifest import Manifest
from models.store import Store
from registry.disk import writing
from registry.progress import Say
from registry.source import Promoted, Registry
from registry.syncing.plan import is_of
from registry.syncing.prepare import prepare
from registry.syncing.smoke import Smoke
from registry.syncing.store import StoreWriter, verified


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


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Brings versions of a registry into a store."""

    registry: Registry
    store: Store
    writer: StoreWriter
    smoke: Smoke
    say: Say

    def __call__(self, promoted: Promoted) -> Brought | Failure | None:
        """Bring one version; None where another process does, or has just done.

        What came over a line that was cut is kept for the next attempt; what proved wrong, or
        filled the disk, is not.
        """
        try:
            with self.writer.staged(promoted) as folder:
                if folder is None:
                    return None
                if any(is_of(tag, promoted) for tag in self.writer.tags()):
                    shutil.rmtree(folder, ignore_errors=True)
                    return None
                self.say(f"fetch {promoted.model}")
                return self._brought(promoted, folder)
        except (PolysentError, OSError) as error:
            self.say(f"{promoted.model} is not brought: {error}")
            return Failure.of(promoted.model, error)

    def _brought(self, promoted: Promoted, folder: Path) -> Brought:
        try:
            with writing(folder):
                self.registry.download(promoted.model, folder)
            tag = verified(folder, promoted)
            nbytes = Manifest.read(folder).nbytes
            prepare(self.store, tag, self.say, folder)  # first: what is in the store is routed
            self.smoke(folder)
            self.writer.publish(folder, tag)
        except RegistryUnavailable:
            raise
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Brought(tag, nbytes)
