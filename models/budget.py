"""The bytes that open things may hold together, and the turn in which room is made."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from models.errors import ModelTooLarge
from models.policy import Held, Plan, make_room, order


@dataclass(slots=True, eq=False)
class Holding:
    """The place of one thing in a budget: reserved while it is opened, then as measured."""

    evict: Callable[[], None]
    """Take the thing out of use, close it after its last use, and `release` its place."""
    nbytes: int = 0
    load_seconds: float = 0.0
    opened_at: float = math.inf
    used_at: float = math.inf
    leases: int = 0
    pinned: bool = False
    kept: bool = False
    """Stays until what takes its place is there; unlike a pin, nobody is refused for it."""
    leaving: bool = False

    @property
    def held(self) -> Held:
        """What the policy sees of it."""
        return Held(
            nbytes=self.nbytes,
            load_seconds=self.load_seconds,
            opened_at=self.opened_at,
            used_at=self.used_at,
            in_use=self.leases > 0,
            pinned=self.pinned,
            kept=self.kept,
        )


@dataclass(slots=True)
class Budget:
    """Grants bytes, evicting by policy; never more than `limit` of them at a time.

    1. Who asks first is served first.
    2. What can never fit is refused at once, with the numbers.
    3. What turns out larger than it claimed is made up for by evicting others.
    """

    limit: int
    clock: Callable[[], float] = time.monotonic
    _holdings: set[Holding] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def used(self) -> int:
        """Bytes that are granted, what is about to be closed included."""
        return sum(holding.nbytes for holding in self._holdings)

    @property
    def pinned(self) -> int:
        """Bytes of what is pinned, and not about to be closed all the same."""
        pinned = (one for one in self._holdings if one.pinned and not one.leaving)
        return sum(holding.nbytes for holding in pinned)

    async def admit(self, what: object, holding: Holding, nbytes: int) -> None:
        """Grant the bytes, once there is room; ModelTooLarge where there never can be."""
        async with self._turn:
            if nbytes > self.limit - self.pinned:
                message = (
                    f"{what} takes up to {nbytes:,} bytes; the budget is {self.limit:,}, "
                    f"{self.pinned:,} of them pinned (POLYSENT_MEMORY)"
                )
                raise ModelTooLarge(message)
            while self.used + nbytes > self.limit:
                self._changed.clear()
                plan = self._make_room(self.used + nbytes - self.limit)
                await self._wait(plan.look_again)
            holding.nbytes = nbytes
            self._holdings.add(holding)

    def correct(self, holding: Holding, nbytes: int) -> None:
        """Take over what was measured."""
        holding.nbytes = nbytes
        if (over := self.used - self.limit) > 0:
            self._make_room(over)
        self._changed.set()

    def release(self, holding: Holding) -> None:
        """Take the bytes back."""
        self._holdings.discard(holding)
        self._changed.set()

    def changed(self) -> None:
        """Look again: a pin is gone, or a guard."""
        self._changed.set()

    def room_at(self, nbytes: int) -> float:
        """Return the time at which so many bytes could be granted; inf where that is unknown."""
        plan = self.would_close(nbytes)
        return self.clock() if plan is None or plan.victims else plan.look_again

    def would_close(self, nbytes: int) -> Plan[Holding] | None:
        """Return what would be closed to grant so many bytes now; None where there is room."""
        need = self._missing(self.used + nbytes - self.limit)
        return make_room(self._open(), need, self.clock()) if need > 0 else None

    def order(self) -> list[Holding]:
        """Return what may be closed now, in the order in which it would be."""
        return order(self._open(), self.clock())

    def _make_room(self, need: int) -> Plan[Holding]:
        if (need := self._missing(need)) <= 0:
            return Plan()
        plan = make_room(self._open(), need, self.clock())
        for holding in plan.victims:
            holding.evict()
        return plan

    def _missing(self, need: int) -> int:
        """Return what is needed beside that which is about to be closed."""
        return need - sum(holding.nbytes for holding in self._holdings if holding.leaving)

    def _open(self) -> dict[Holding, Held]:
        return {
            holding: holding.held
            for holding in self._holdings
            if not holding.leaving and holding.opened_at < math.inf
        }

    async def _wait(self, until: float) -> None:
        seconds = None if until == math.inf else max(0.0, until - self.clock())
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass
