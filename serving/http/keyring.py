"""The keys that are good now, as their file says."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from models.keys import Key, Keys, digest
from serving.bucket import Bucket
from serving.caller import ANYONE, Caller

_LOG = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How long a key that was removed may still be taken."""


@dataclass(slots=True)
class Keyring:
    """The keys of a file, which is looked at once a second at most; a look never fails.

    1. While there is a file, or `named` says that there has to be one, a key is needed.
    2. A file that can't be read leaves the last good keys in force; there are none before.
    3. A bucket outlives the change of its file as long as its key and rate do.
    """

    path: Path
    named: bool = False
    clock: Callable[[], float] = monotonic
    _callers: Mapping[str, Caller] = field(default_factory=dict)
    _found: bool = False
    _seen: tuple[int, int, int, int] | None = None
    _next: float = float("-inf")

    @property
    def needed(self) -> bool:
        """Whether nobody is answered without a key."""
        self._look()
        return self.named or self._found

    def caller(self, key: str) -> Caller | None:
        """Return whose key it is; None where it is nobody's.

        What is looked up is a hash, so the time that it takes says nothing about any key.
        """
        self._look()
        return self._callers.get(digest(key))

    def _look(self) -> None:
        now = self.clock()
        if now < self._next:
            return
        self._next = now + LOOK_SECONDS
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)
            self._found = True
            if seen != self._seen:
                self._callers = self._held(Keys.read(self.path))
                self._seen = seen
        except FileNotFoundError:
            self._found, self._seen, self._callers = False, None, {}
        except OSError as error:  # it may pass: the next look reads again
            self._found = True
            _LOG.warning("The API keys stay as they were: %s", error)
        except ValueError as error:
            self._seen = seen
            _LOG.warning("The API keys stay as they were: %s", error)

    def _held(self, keys: Keys) -> dict[str, Caller]:
        return {key.sha256: Caller(key.name, key.scope, self._bucket(key)) for key in keys.keys}

    def _bucket(self, key: Key) -> Bucket | None:
        before = self._callers.get(key.sha256, ANYONE).bucket
        if key.rate is None or (before and before.rate == key.rate):
            return before if key.rate else None
        return Bucket(key.rate, self.clock)
