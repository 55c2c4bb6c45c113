"""Which open things make room for another: a decision about values, without deeds."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

GUARD = 10.0
"""A thing stays open at least so many times as long as its load took: see `guarded_until`."""
GUARD_SECONDS = 60.0
"""The guard lasts no longer than this."""
MOMENT = 1e-3
"""Seconds; what was used in the same moment counts as equally recent."""


@dataclass(frozen=True, slots=True)
class Held:
    """One open thing as the policy sees it; times in seconds of one clock."""

    nbytes: int
    load_seconds: float
    opened_at: float
    used_at: float
    in_use: bool = False
    pinned: bool = False
    kept: bool = False

    @property
    def guarded_until(self) -> float:
        """When it may be closed at the earliest; inf where that is not known yet.

        Under thrash a thing is therefore loading for at most a tenth of its time.
        """
        if self.kept:
            return math.inf
        return self.opened_at + min(GUARD * self.load_seconds, GUARD_SECONDS)

    def worth(self, now: float) -> float:
        """Return what closing it costs per byte won: is it dear to load again, and likely to be?"""
        age = max(now - self.used_at, MOMENT)
        return self.load_seconds / age / max(self.nbytes, 1)


@dataclass(frozen=True, slots=True)
class Plan(Generic[K]):
    """What to close now, the least loss first; or when to look again, where that is not enough."""

    victims: tuple[K, ...] = ()
    look_again: float = math.inf


def order(held: Mapping[K, Held], now: float) -> list[K]:
    """Return what may be closed now, the least loss first; what is in use comes last."""
    free = {key: one for key, one in held.items() if not one.pinned and one.guarded_until <= now}
    return sorted(free, key=lambda key: (free[key].in_use, free[key].worth(now)))


def make_room(held: Mapping[K, Held], need: int, now: float) -> Plan[K]:
    """Choose what is closed to win `need` bytes.

    1. Pinned things stay, and so do guarded ones until their guard ends.
    2. What is in use goes only when everything idle is not enough; it is closed after its use.
    3. Nothing is closed in vain: either the bytes come together, or all stays as it is.
    """
    chosen: list[K] = []
    won = 0
    for key in order(held, now):
        if won >= need:
            break
        chosen.append(key)
        won += held[key].nbytes
    if won < need:
        guards = (one.guarded_until for one in held.values() if not one.pinned)
        return Plan(look_again=min((at for at in guards if at > now), default=math.inf))
    for key in list(chosen):
        if won - held[key].nbytes >= need:
            chosen.remove(key)
            won -= held[key].nbytes
    return Plan(tuple(chosen))
