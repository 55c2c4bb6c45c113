"""Files that keep a stored model from being removed while a process uses it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from models.identity import Tag
from models.store import Store


@dataclass(slots=True)
class Lease:
    """One process's use of a stored model; a killed process loses it."""

    _descriptor: int

    def release(self) -> None:
        """Use it no longer; called once."""
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class Leases:
    """The lease files of a store, `polysent/leases/<name>/<version>`, by flock(2).

    Many processes may use a model, and none while it is being removed.
    """

    store: Store

    def use(self, tag: Tag) -> Lease | None:
        """Lease a model; None where it is being removed just now. OSError where no file can be."""
        return self._locked(tag, fcntl.LOCK_SH)

    @contextmanager
    def removing(self, tag: Tag) -> Iterator[bool]:
        """Say whether nobody uses a model; nobody begins to, meanwhile."""
        lease = self._locked(tag, fcntl.LOCK_EX)
        try:
            yield lease is not None
        finally:
            if lease is not None:
                lease.release()

    def _locked(self, tag: Tag, how: int) -> Lease | None:
        path = self.path(tag)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return Lease(descriptor)
        os.close(descriptor)
        return None

    def path(self, tag: Tag) -> Path:
        """Return the lease file of a model; it stays when the model goes, empty."""
        return self.store.home / "polysent" / "leases" / tag.name / tag.version
