"""What failed to open, and how long nobody tries again."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Failure:
    """The last failure, how many there were in a row, and when to try again."""

    why: str
    times: int
    until: float


@dataclass(slots=True)
class Quarantine(Generic[K]):
    """Keeps what failed from being tried at each request: 1 s at first, doubled each time."""

    clock: Callable[[], float] = time.monotonic
    _failures: dict[K, Failure] = field(default_factory=dict)

    def put(self, key: K, why: str) -> Failure:
        """Note one more failure."""
        times = self._failures[key].times + 1 if key in self._failures else 1
        seconds = min(FIRST_SECONDS * 2 ** (times - 1), LONGEST_SECONDS)
        self._failures[key] = Failure(why, times, self.clock() + seconds)
        return self._failures[key]

    def get(self, key: K) -> Failure | None:
        """Return the failure for which this one must not be tried now."""
        failure = self._failures.get(key)
        return failure if failure and failure.until > self.clock() else None

    def clear(self, key: K) -> None:
        """Forget: it was opened, or is no longer wanted."""
        self._failures.pop(key, None)
