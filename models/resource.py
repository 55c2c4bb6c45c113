"""What a residency opens, and what it tells of it."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

K_contra = TypeVar("K_contra", bound=Hashable, contravariant=True)

State = Literal["resident", "loading", "cold", "quarantined"]
"""What may be so of a thing."""


class Resource(Protocol):
    """Something open that holds memory."""

    @property
    def nbytes(self) -> int:
        """Bytes that it holds, as measured now."""
        ...

    def close(self) -> None:
        """Give them back."""
        ...


V = TypeVar("V", bound=Resource)
V_co = TypeVar("V_co", bound=Resource, covariant=True)


class Opener(Protocol[K_contra, V_co]):
    """Opens things; both methods are called off the event loop."""

    def claims(self, key: K_contra, /) -> int:
        """Return how many bytes it takes at most."""
        ...

    def open(self, key: K_contra, /) -> V_co:
        """Open it."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """One attempt to open a thing; `premature`: it had been evicted only just before."""

    key: object
    outcome: Literal["ok", "failed", "refused"]
    seconds: float
    premature: bool = False


@dataclass(frozen=True, slots=True)
class Evicted:
    """A thing was closed, so many seconds after it was opened and last used."""

    key: object
    reason: str
    open_seconds: float
    idle_seconds: float


@dataclass(slots=True)
class History:
    """What is known of a thing beyond the time for which it is open; times as `time.time()`."""

    hits: int = 0
    loads: int = 0
    evictions: int = 0
    nbytes: int = 0
    load_seconds: float = 0.0
    used: float = 0.0
    evicted: float = -math.inf
    reason: str = ""
    """Why it was closed the last time: `budget`, `asked` or `retired`."""
