"""Calls that were heard, so that none is heard twice."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from registry.syncing.nudge import MOST_SECONDS

KEPT_SECONDS = 2 * MOST_SECONDS
"""A signature may be from the future as well; after that it is too old by itself."""


@dataclass(slots=True)
class Heard:
    """The calls of the last minutes, by their id, which is part of what is signed."""

    clock: Callable[[], float] = monotonic
    _until: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def first(self, delivery: str) -> bool:
        """Say whether a call whose signature is good is new; from then on it is not."""
        with self._lock:
            now = self.clock()
            for old in [each for each, until in self._until.items() if until <= now]:
                del self._until[old]
            if delivery in self._until:
                return False
            self._until[delivery] = now + KEPT_SECONDS
            return True
