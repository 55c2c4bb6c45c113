"""What is open, who is using it, and what is closed to make room."""

import asyncio
import logging
import math
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Container, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from models.budget import Budget, Holding
from models.errors import ModelTooLarge, ModelUnavailable
from models.quarantine import Failure, Quarantine
from models.resource import Evicted, History, Loaded, Opener, Resource, State

_LOG = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Resource)

PREMATURE_SECONDS = 60.0
"""What is opened again so soon after it was evicted was evicted too early."""
NICENESS = 15
"""How far the threads that open and close things stand back behind those that answer."""
HURRIED = 5
"""The same for what is hurried: a quarter of a core that others want, where 15 is a thirtieth."""


@dataclass(slots=True, eq=False)
class _Resident(Holding, Generic[V]):
    opening: "asyncio.Future[V]" = field(default_factory=asyncio.Future)
    admitted: bool = False
    used: bool = False
    measured: bool = False
    doomed: bool = False
    """Goes as soon as it is open: what takes its place was asked for while it was being opened."""
    reason: str = "budget"


class Residency(Generic[K, V]):
    """Opens things on first use and keeps them open as long as the budget allows.

    1. At most one load per key at any time, however many wait for it.
    2. What is leased is never closed; what is evicted while leased is closed after the last lease.
    3. Opening and closing happen in threads of their own, behind those that answer; what is
       hurried is opened before the rest.
    4. What failed to open is left alone for a while; those who ask are told why, and until when.
    5. What is no longer wanted is not opened again, not even for who asked before it was.
    """

    def __init__(
        self,
        opener: Opener[K, V],
        budget: Budget,
        note: Callable[[Loaded | Evicted], None] = lambda _: None,
    ) -> None:
        """Take what opens, the budget (others may share it), and who is told what happened."""
        self._opener = opener
        self._budget = budget
        self._note = note
        self._residents: dict[K, _Resident[V]] = {}
        self._holders: dict[int, tuple[K, _Resident[V]]] = {}
        self._pins: set[K] = set()
        self._wanted: Container[K] | None = None
        self._quarantine = Quarantine[K](budget.clock)
        self._history: dict[K, History] = {}
        self._hurried: set[K] = set()
        self._loader = _threads(2, "load", NICENESS)
        self._swift = _threads(1, "hurry", HURRIED)
        self._closer = _threads(1, "close", NICENESS)

    @property
    def resident(self) -> frozenset[K]:
        """The keys that are open, or being opened."""
        return frozenset(self._residents)

    @asynccontextmanager
    async def lease(self, key: K, until: float = math.inf) -> AsyncIterator[V]:
        """Hold a thing open, opening it first where it is not.

        Raises ModelUnavailable where it can't be opened, or not `until` then (a time of
        `time.monotonic()`). A caller that leaves while it is being opened does not stop that.
        """
        resident = self._residents.get(key) or self._start(key)
        resident.leases += 1  # before any await: no gap for an eviction
        try:
            value = await self._opened(key, resident, until)
            self.history(key).hits += 1
            resident.used = True
            yield value
        finally:
            self._release(key, resident)

    def hold(self, value: V) -> Callable[[], None]:
        """Lease what is leased once more, for longer than its first holder may; return the end."""
        key, resident = self._holders[id(value)]
        resident.leases += 1
        return partial(self._release, key, resident)

    def state(self, key: K) -> State:
        """Say whether it is open, and if not, whether that may change now."""
        if resident := self._residents.get(key):
            return "resident" if resident.opening.done() else "loading"
        return "quarantined" if self._quarantine.get(key) else "cold"

    def failure(self, key: K) -> Failure | None:
        """Return why it is quarantined."""
        return self._quarantine.get(key)

    def history(self, key: K) -> History:
        """Return what is known of it."""
        return self._history.setdefault(key, History())

    def holding(self, key: K) -> Holding | None:
        """Return its place in the budget, where it is open or being opened."""
        return self._residents.get(key)

    def claims(self, key: K) -> int:
        """Return how many bytes it takes: as measured before, else at most; reads files."""
        known = self._history.get(key)  # not `history`: threads ask, and it is gone through
        return (known.nbytes if known else 0) or self._opener.claims(key)

    def pin(self, key: K, *, pinned: bool = True) -> None:
        """Keep it open from when it is opened, whatever else needs room; or no longer."""
        (self._pins.add if pinned else self._pins.discard)(key)
        if resident := self._residents.get(key):
            resident.pinned = pinned
        self._budget.changed()

    def evict(self, key: K, reason: str = "asked") -> bool:
        """Close it after its last lease; False where it is not open."""
        resident = self._residents.get(key)
        if resident is None or not _is_open(resident):
            return False
        resident.reason = reason
        self._evict(key, resident)
        return True

    def give_up(self, key: K, reason: str) -> None:
        """Evict it, as soon as it is open where it is being opened."""
        resident = self._residents.get(key)
        if resident is not None and not self.evict(key, reason):
            resident.reason = reason
            resident.doomed = True

    def retain(self, wanted: Container[K]) -> None:
        """From now on keep nothing that is not wanted; each goes once its last lease has ended."""
        self._wanted = wanted
        for key in [key for key in self._residents if key not in wanted]:
            self.evict(key, "retired")
        for key in [key for key in self._history if key not in wanted]:
            if key not in self._residents:
                del self._history[key]
                self._quarantine.clear(key)

    def room(self, instead_of: K) -> int:
        """Return the bytes that pins leave, where one more thing is closed, pinned or not."""
        resident = self._residents.get(instead_of)
        own = resident.nbytes if resident and resident.pinned else 0
        return self._budget.limit - self._budget.pinned + own

    def fits(self, nbytes: int) -> bool:
        """Say whether so much more can be opened without closing anything."""
        return self._budget.would_close(nbytes) is None

    @contextmanager
    def keeping(self, key: K) -> Iterator[None]:
        """Close it for nobody's sake meanwhile, where it is open; who needs room waits."""
        resident = self._residents.get(key)
        if resident is None:
            yield
            return
        resident.kept = True
        try:
            yield
        finally:
            resident.kept = False
            self._budget.changed()

    @contextmanager
    def hurrying(self, key: K) -> Iterator[None]:
        """Open it ahead of what others wait for, where it is opened meanwhile."""
        self._hurried.add(key)
        try:
            yield
        finally:
            self._hurried.discard(key)

    async def measure(self, *, new: bool = False) -> None:
        """Measure what open things hold, and evict where that is too much.

        `new`: only what has been used, and not been measured since it was opened.
        """
        loop = asyncio.get_running_loop()
        for key, resident in list(self._residents.items()):
            if _is_open(resident) and not (new and (resident.measured or not resident.used)):
                resident.measured = True
                nbytes = await loop.run_in_executor(
                    self._closer, _nbytes, resident.opening.result()
                )
                if self._residents.get(key) is resident:
                    self._budget.correct(resident, nbytes)
                    self.history(key).nbytes = nbytes

    def close(self) -> None:
        """Close all that no one holds, and the threads."""
        self._wanted = frozenset()
        for key, resident in list(self._residents.items()):
            if _is_open(resident):
                self._evict(key, resident)
        self._loader.shutdown(wait=False)
        self._swift.shutdown(wait=False)
        self._closer.shutdown(wait=False)

    def _start(self, key: K) -> _Resident[V]:
        if self._wanted is not None and key not in self._wanted:
            message = f"{key} is no longer served"
            raise ModelUnavailable(message, retry_after=1)
        if failure := self._quarantine.get(key):
            left = failure.until - self._budget.clock()
            message = f"{failure.why} (failed {failure.times} times)"
            raise ModelUnavailable(message, retry_after=max(left, 1.0))
        resident = _Resident[V](evict=lambda: self._evict(key, resident), pinned=key in self._pins)
        resident.opening = asyncio.ensure_future(self._load(key, resident))
        resident.opening.add_done_callback(lambda _: self._settled(key, resident))
        self._residents[key] = resident
        return resident

    async def _opened(self, key: K, resident: _Resident[V], until: float) -> V:
        if _is_open(resident):
            return resident.opening.result()
        seconds = None if until == math.inf else until - time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(resident.opening)
        except TimeoutError:
            message = f"{key} was not opened in time"
            raise ModelUnavailable(message, retry_after=self._patience(key)) from None
        except OpenFailed as error:
            raise ModelUnavailable(str(error), retry_after=error.retry_after) from error.__cause__
        except NeverFits as error:
            raise ModelTooLarge(str(error)) from error

    def _patience(self, key: K) -> float:
        known = self.history(key)
        wait = self._budget.room_at(known.nbytes) - self._budget.clock()
        return max(1.0, known.load_seconds + (wait if wait < math.inf else 0.0))

    async def _load(self, key: K, resident: _Resident[V]) -> V:
        loop = asyncio.get_running_loop()
        threads = self._swift if key in self._hurried else self._loader
        history = self.history(key)
        premature = time.time() - history.evicted < PREMATURE_SECONDS
        started = time.perf_counter()
        try:
            claims = history.nbytes or await loop.run_in_executor(threads, self._opener.claims, key)
            await self._budget.admit(key, resident, claims)
            resident.admitted = True
            started = time.perf_counter()
            value, nbytes = await loop.run_in_executor(threads, self._measured, key)
            resident.load_seconds = time.perf_counter() - started
        except ModelTooLarge as error:
            self._note(Loaded(key, "refused", 0.0))
            raise NeverFits(str(error)) from error
        except (Exception, asyncio.CancelledError) as error:
            self._budget.release(resident)
            self._note(Loaded(key, "failed", time.perf_counter() - started))
            raise self._failed(key, error) from error
        self._holders[id(value)] = key, resident
        resident.opened_at = resident.used_at = self._budget.clock()
        history.loads += 1
        history.load_seconds = resident.load_seconds
        self._quarantine.clear(key)
        self._note(Loaded(key, "ok", resident.load_seconds, premature))
        self._budget.correct(resident, max(nbytes, claims))
        return value

    def _measured(self, key: K) -> tuple[V, int]:
        value = self._opener.open(key)
        return value, value.nbytes

    def _failed(self, key: K, error: BaseException) -> "OpenFailed":
        if isinstance(error, asyncio.CancelledError | RuntimeError) and self._wanted == frozenset():
            return OpenFailed(f"{key} is not opened any more: the service stops", 1.0)
        if isinstance(error, asyncio.CancelledError):
            return OpenFailed(f"nobody waits for {key} any more", 1.0)
        _LOG.error("%s can't be opened", key, exc_info=error)
        why = f"{key} can't be opened: {type(error).__name__}; the service's log says more"
        failure = self._quarantine.put(key, why)
        return OpenFailed(why, max(1.0, failure.until - self._budget.clock()))

    def _settled(self, key: K, resident: _Resident[V]) -> None:
        if _is_open(resident):
            if resident.doomed and not resident.leaving:
                self._evict(key, resident)
            elif not resident.leases:
                self._idle(key, resident)
        elif self._residents.get(key) is resident:
            del self._residents[key]

    def _release(self, key: K, resident: _Resident[V]) -> None:
        resident.leases -= 1
        resident.used_at = self._budget.clock()
        self.history(key).used = time.time()
        if not resident.leases:
            self._idle(key, resident)

    def _idle(self, key: K, resident: _Resident[V]) -> None:
        """Decide what becomes of it now that its last lease has ended."""
        if not resident.opening.done():
            if not resident.admitted and self._residents.get(key) is resident:
                del self._residents[key]
                resident.opening.cancel()
        elif not _is_open(resident):
            return
        elif resident.leaving:
            self._close(key, resident)
        elif self._wanted is not None and key not in self._wanted:
            resident.reason = "retired"
            self._evict(key, resident)

    def _evict(self, key: K, resident: _Resident[V]) -> None:
        if resident.leaving:
            return
        resident.leaving = True
        del self._residents[key]
        if not resident.leases:
            self._close(key, resident)

    def _close(self, key: K, resident: _Resident[V]) -> None:
        now = self._budget.clock()
        history = self.history(key)
        history.evictions += 1
        history.evicted = time.time()
        history.reason = resident.reason
        opened, used = now - resident.opened_at, now - resident.used_at
        self._note(Evicted(key, resident.reason, opened, used))
        loop = resident.opening.get_loop()
        value = resident.opening.result()
        del self._holders[id(value)]
        try:
            closing = self._closer.submit(value.close)
        except RuntimeError:  # the service stops, and so have the threads
            value.close()
            self._budget.release(resident)
        else:
            closing.add_done_callback(lambda _: _soon(loop, self._budget.release, resident))


class OpenFailed(Exception):
    """A load failed; each waiter turns it into its own ModelUnavailable."""

    def __init__(self, why: str, retry_after: float) -> None:
        """Say why, and in how many seconds it may be tried again."""
        super().__init__(why)
        self.retry_after = retry_after


class NeverFits(Exception):
    """A load was refused for its size; each waiter turns it into its own ModelTooLarge."""


def _is_open(resident: _Resident[V]) -> bool:
    opening = resident.opening
    return opening.done() and not opening.cancelled() and opening.exception() is None


def _nbytes(value: Resource) -> int:
    return value.nbytes


def _soon(loop: asyncio.AbstractEventLoop, deed: Callable[[Holding], None], on: Holding) -> None:
    with suppress(RuntimeError):  # the loop may be closed when the last of all is
        loop.call_soon_threadsafe(deed, on)


def _threads(count: int, name: str, niceness: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, name, initializer=_stand_back, initargs=(niceness,))


def _stand_back(niceness: int) -> None:
    if hasattr(os, "setpriority"):
        this = threading.get_native_id()  # who was started with less may not take more
        own = os.getpriority(os.PRIO_PROCESS, this)
        os.setpriority(os.PRIO_PROCESS, this, max(own, niceness))
