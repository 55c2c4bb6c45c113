"""`polysent registry sync --watch`: looks every few seconds, at once when nudged, for ever."""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from models.errors import RegistryError, RegistryUnavailable
from models.identity import ModelId
from registry.source import Promoted
from registry.syncing.fetch import Brought, Failure
from registry.syncing.sync import AT_ONCE, ELSEWHERE_SECONDS, Looked, Sync
from registry.syncing.telemetry import Telemetry

_LOG = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
"""Seconds between looks at a registry that does not answer, at most."""
LONGEST_REST = 3600.0
"""Seconds until a version that failed is tried again, at most."""
FIRST_REST = 5.0
WISH_SECONDS = 0.5
"""Seconds until a wish is seen, at most."""

Clock = Callable[[], float]


def backoff(first: float, times: int, longest: float) -> float:
    """Return seconds, doubled so many times, but no more than the longest."""
    return min(first * float(2 ** min(times, 32)), longest)


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Watch:
    """One thread looks and routes, others fetch: a promotion never waits for a download.

    1. What was fetched before only has its route moved: nudged, that takes a look's time.
    2. A registry that is away is asked less and less often, and never more than a minute apart.
    3. A version that failed rests, twice as long each time; another version of its language
       does not.
    4. A language that somebody asks for brings the next look, once.
    """

    sync: Sync
    seconds: float
    telemetry: Telemetry
    clock: Clock = time.monotonic
    subscribe: Callable[[], None] = _nothing
    """Asks the registry to call, once it answers and each time that it answers again."""
    _due: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _under_way: dict[ModelId, Future[None]] = field(default_factory=dict)
    _rests: dict[ModelId, tuple[int, float]] = field(default_factory=dict)
    _preparing: Future[None] | None = None
    _away: int = 0
    _subscribed: bool = False

    def nudge(self) -> None:
        """Look now."""
        self._due.set()

    def stop(self) -> None:
        """End after what is being written now; a fetch that is cut goes on at the next start."""
        self._ended.set()
        self._due.set()

    def run(self) -> None:
        """Look until stopped."""
        pool = ThreadPoolExecutor(AT_ONCE, "fetch")
        try:
            while not self._ended.is_set():
                self._due.clear()
                heard = self.sync.coming.asked()
                self._fetch(pool, self.look())
                self._wait(heard)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _wait(self, heard: frozenset[str]) -> None:
        """Wait for the next look: its time, a nudge, or a wish that was not heard."""
        ends = self.clock() + self.pause()
        while (left := ends - self.clock()) > 0 and not self._due.wait(min(left, WISH_SECONDS)):
            if self.sync.coming.asked() - heard:
                return

    def look(self) -> Looked | None:
        """Look once; what prevents it is said, and None returned."""
        try:
            looked = self.sync.look()
            self.telemetry.looked("ok", looked.moves)
        except RegistryError as error:
            if isinstance(error, RegistryUnavailable):
                self._away += 1
                self._subscribed = False
            _LOG.warning("%s", error)
            self._note(error.code)
            return None
        except Exception:  # noqa: BLE001  (a sync that ends can't be nudged)
            self._away += 1
            _LOG.exception("The look failed")
            self._note("internal")
            return None
        if self._away:
            _LOG.warning("MLflow answers again")
        self._away = 0
        return looked

    def _note(self, outcome: str) -> None:
        with suppress(RegistryError):  # a full disk is no reason to stop looking
            self.telemetry.looked(outcome)

    def pause(self) -> float:
        """Return the seconds until the next look that nobody asks for."""
        longest = max(LONGEST_WAIT, self.seconds)
        wait = backoff(self.seconds, self._away, longest) if self._away else self.seconds
        return wait * random.uniform(0.8, 1.0) if self._away else wait  # noqa: S311  (no secret)

    def rests(self, model: ModelId) -> bool:
        """Say whether a version failed a short while ago."""
        _, until = self._rests.get(model, (0, float("-inf")))
        return self.clock() < until

    def _fetch(self, pool: ThreadPoolExecutor, looked: Looked | None) -> None:
        if looked is None:
            return
        if not self._subscribed:
            self._subscribed = True
            pool.submit(self.subscribe)
        if self._preparing is None or self._preparing.done():
            self._preparing = pool.submit(self.sync.prepare, looked)
        for promoted in looked.plan.fetch:
            model = promoted.model
            if len(self._under_way) >= AT_ONCE:
                break  # each that ends brings the next look, and with it the order of then
            if model not in self._under_way and not self.rests(model):
                self._under_way[model] = pool.submit(self._bring, promoted)
                self._under_way[model].add_done_callback(partial(self._done, model))

    def _bring(self, promoted: Promoted) -> None:
        try:
            outcome = self.sync.fetch(promoted)
        except BaseException:
            self._rest(promoted.model, LONGEST_REST)
            raise
        if isinstance(outcome, Failure):
            away = outcome.code == RegistryUnavailable.code
            self._rest(promoted.model, LONGEST_WAIT if away else LONGEST_REST)
            self.telemetry.failed(outcome)
        elif isinstance(outcome, Brought):
            self._rests[promoted.model] = 0, self.clock() + FIRST_REST  # should it not be there
            self.telemetry.arrived(str(promoted.model), outcome.nbytes)
        else:  # another process is fetching it
            times, _ = self._rests.get(promoted.model, (0, 0.0))
            self._rests[promoted.model] = times, self.clock() + ELSEWHERE_SECONDS

    def _rest(self, model: ModelId, longest: float) -> None:
        times, _ = self._rests.get(model, (0, 0.0))
        self._rests[model] = times + 1, self.clock() + backoff(FIRST_REST, times, longest)

    def _done(self, model: ModelId, future: Future[None]) -> None:
        del self._under_way[model]
        if not future.cancelled() and (error := future.exception()):
            _LOG.error("%s was not fetched", model, exc_info=error)
        self._due.set()
