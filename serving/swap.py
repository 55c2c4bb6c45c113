"""What answers, apart from what the routes want: a version takes over once it can answer."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from models.artifact import Model
from models.errors import ModelTooLarge, ModelUnavailable, PolysentError
from models.identity import Tag
from models.languages import MULTILINGUAL, lookup
from models.quarantine import Quarantine
from models.residency import Residency
from models.routes import Route, WatchedRoutes
from models.units import duration, size
from serving.succession import Way, agreed, successor, way
from serving.warmer import Warmer

_LOG = logging.getLogger(__name__)

Tags = frozenset[Tag]


@dataclass(frozen=True, slots=True)
class Swapped:
    """A version took over, in which way; or could not."""

    language: str
    outcome: Way | Literal["failed"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that the routes want, and why it does not answer yet."""

    tag: Tag
    why: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What a version needs in order to answer: its files, a place in memory, a first run."""

    check: Callable[[Tag], None]
    models: Residency[Tag, Model]
    warmer: Warmer


def _nobody(_: Tags) -> None:
    pass


class Swap:
    """Lets the versions that the routes want take over; a service starts with all of them.

    1. From a version that is in memory another takes over only when it is open and has run.
    2. Where both do not fit, the old one is closed first and texts wait for the new one; where
       that can't be opened, the old one is back before any of them is told so.
    3. What can't be opened replaces nothing that answers; it is tried again, later each time.
    4. One version at a time is opened; challengers come after champions, and never in a gap.
    """

    def __init__(
        self, routes: WatchedRoutes, ground: Ground, note: Callable[[Swapped], None]
    ) -> None:
        """Take the routes; nothing answers before `start`."""
        self.answering: dict[str, Route] = {}
        """Who answers, by language; always this object."""
        self._routes = routes
        self._ground = ground
        self._note = note
        self._wanted: Mapping[str, Route] = {}
        self._changed: Callable[[Tags], None] = _nobody
        self._attempts: dict[str, tuple[Tag, asyncio.Task[None]]] = {}
        self._failed = Quarantine[Tag]()
        self._turn = asyncio.Lock()
        self._back: Tag | None = None

    def start(self, changed: Callable[[Tags], None]) -> None:
        """Answer by what the routes say; `changed` is told whenever other versions are in play."""
        self._changed = changed
        self._wanted = self._routes.look()
        for language, route in self._wanted.items():
            self.answering[language] = agreed(None, route)
        self._tell()

    def look(self) -> None:
        """Look at the routes, and begin what has to be done; called a few times a second."""
        wanted = self._routes.look()
        if wanted is not self._wanted:
            self._follow(wanted)
        for language in wanted:
            tag = self._successor(language)
            if tag and language not in self._attempts and not self._failed.get(tag):
                self._begin(language, tag)

    def close(self) -> None:
        """Begin nothing more, and let all versions go."""
        for _, attempt in self._attempts.values():
            attempt.cancel()
        self._changed(frozenset())
        self._changed = _nobody

    def waiting(self, language: str) -> Waiting | None:
        """Return the version that is wanted and does not take part yet."""
        if (tag := self._successor(language)) is None:
            return None
        failure = self._failed.get(tag)
        return Waiting(tag, failure.why if failure else "it is being opened")

    @property
    def unfinished(self) -> list[str]:
        """The languages in which one is waiting."""
        return [language for language in self._wanted if self._successor(language)]

    def _successor(self, language: str) -> Tag | None:
        wanted = self._wanted.get(language)
        return successor(self.answering.get(language), wanted) if wanted else None

    def _follow(self, wanted: Mapping[str, Route]) -> None:
        self._wanted = wanted
        for language in self.answering.keys() - wanted.keys():
            del self.answering[language]
        for language, route in wanted.items():
            now = self.answering.get(language)
            if now or not self._is_answered(language):
                self.answering[language] = agreed(now, route)
        for language, (tag, attempt) in list(self._attempts.items()):
            if self._successor(language) != tag:
                attempt.cancel()
                del self._attempts[language]
        self._tell()

    def _is_answered(self, language: str) -> bool:
        return bool(lookup(language, self.answering) or lookup(MULTILINGUAL, self.answering))

    def _tell(self) -> None:
        """Say which versions answer, are to answer, or may have to again."""
        routes = [*self.answering.values(), *self._wanted.values()]
        tags = {tag for route in routes for tag in (route.champion, route.challenger) if tag}
        self._changed(frozenset(tags | ({self._back} if self._back else set())))

    def _begin(self, language: str, tag: Tag) -> None:
        attempt = asyncio.get_running_loop().create_task(self._attempt(language, tag))
        self._attempts[language] = tag, attempt
        attempt.add_done_callback(lambda _: self._end(language, attempt))

    def _end(self, language: str, attempt: "asyncio.Task[None]") -> None:
        if self._attempts.get(language, (None, None))[1] is attempt:
            del self._attempts[language]

    async def _attempt(self, language: str, tag: Tag) -> None:
        started = time.perf_counter()
        try:
            outcome = await self._take_over(language, tag)
        except (PolysentError, OSError) as error:
            failure = self._failed.put(tag, str(error))
            _LOG.warning("%s does not answer (%d times): %s", tag.model, failure.times, error)
            self._note(Swapped(language, "failed"))
        except Exception as error:  # noqa: BLE001  (else it is tried four times a second)
            self._failed.put(tag, f"{type(error).__name__}: {error}")
            _LOG.exception("%s does not answer", tag.model)
            self._note(Swapped(language, "failed"))
        else:
            self._failed.clear(tag)
            took = duration(time.perf_counter() - started)
            _LOG.info("%s takes part in answering %s after %s", tag.model, language, took)
            self._note(Swapped(language, outcome))

    async def _take_over(self, language: str, tag: Tag) -> Way:
        await asyncio.to_thread(self._ground.check, tag)
        async with self._turn:
            now = self.answering.get(language)
            how = self._way(tag, now, await self._claims(tag), await self._claims_of_old(now))
            if how == "gap":
                if tag != self._wanted[language].champion:
                    message = f"{tag.model} and its champion do not fit into memory together"
                    raise ModelTooLarge(message)
                await self._after(language, tag)
            elif how == "warm" and now:
                models = self._ground.models
                with models.keeping(now.champion), models.hurrying(tag):
                    await self._ground.warmer(tag)
                self._switch(language, tag)
            else:
                self._switch(language, tag)
        return how

    def _way(self, tag: Tag, now: Route | None, claims: int, claims_of_old: int) -> Way:
        """Decide how; ModelUnavailable or ModelTooLarge where there is none."""
        models = self._ground.models
        if failure := models.failure(tag):
            raise ModelUnavailable(failure.why)
        room = models.room(now.champion if now else tag)
        if claims > room:
            message = f"{tag.model} takes up to {size(claims)}, there is room for {size(room)}"
            raise ModelTooLarge(message)
        if now and models.state(tag) == "resident":
            return "warm"
        holding = models.holding(now.champion) if now else None
        held = (holding.nbytes or claims_of_old) if holding else None
        how = way(claims, held, room)
        if how == "gap" and now:
            _LOG.warning(
                "%s takes up to %s and does not fit beside %s with %s: there is room for %s",
                *(tag.model, size(claims), now.champion.model, size(held or 0), size(room)),
            )
        return how

    async def _claims(self, tag: Tag) -> int:
        return await asyncio.to_thread(self._ground.models.claims, tag)

    async def _claims_of_old(self, now: Route | None) -> int:
        with suppress(OSError, PolysentError):  # its files may be gone: that is no obstacle
            return await self._claims(now.champion) if now else 0
        return 0

    def _switch(self, language: str, ready: Tag) -> None:
        now = self.answering.get(language)
        self.answering[language] = agreed(now, self._wanted[language], ready)
        self._tell()

    async def _after(self, language: str, tag: Tag) -> None:
        before = self.answering[language]
        self._back = before.champion

        def first() -> None:
            self._switch(language, tag)
            self._ground.models.give_up(before.champion, "retired")

        try:
            await self._ground.warmer(tag, first)
        except (PolysentError, asyncio.CancelledError):
            if language in self.answering and (wanted := self._wanted.get(language)):
                self.answering[language] = agreed(before, wanted)
                self._ground.models.give_up(tag, "retired")
            raise
        finally:
            self._back = None
            self._tell()
