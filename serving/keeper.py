"""What is kept open before anyone asks for it, and measured while it is."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass

from models.artifact import Model
from models.errors import PolysentError
from models.identity import Tag
from models.openers import OpenTokenizer, Vocabulary
from models.residency import Residency
from models.routes import Route
from serving.router import Router
from serving.swap import Swap
from serving.warmer import Warmer

_LOG = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
MEASURE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What may be kept open: models, and what models share."""

    models: Residency[Tag, Model]
    tokenizers: Residency[Vocabulary, OpenTokenizer]


class Keeper:
    """Lets versions take over, opens what is pinned, loads what is shared, measures all.

    1. `ready` once what is pinned and shared is open: no request pays for what was to be open.
    2. A tokenizer that several models share is loaded then, too: loading one stops the world
       (it holds Python's global lock), and the first request of a language must not do that.
    3. A pin is on a language: the version that is promoted next is opened, and pinned, as well.
    """

    def __init__(self, router: Router, swap: Swap, kept: Kept, warmer: Warmer) -> None:
        """Take the stations of the path."""
        self._router = router
        self._swap = swap
        self._models = kept.models
        self._tokenizers = kept.tokenizers
        self._warmer = warmer
        self._pinned_tags: set[Tag] = set()
        self.pinned: set[str] = set()
        self.ready = False
        self._running: list[asyncio.Task[None]] = []

    def start(self, pinned: Iterable[str]) -> None:
        """Follow the routes from now on, and keep the models of these languages open."""
        self.pinned |= set(pinned)
        loop = asyncio.get_running_loop()
        self._running = [loop.create_task(self._look()), loop.create_task(self._keep())]

    def stop(self) -> None:
        """Follow them no longer."""
        for task in self._running:
            task.cancel()
        self._swap.close()

    async def pin(self, language: str) -> None:
        """Open the model of a language and keep it open; errors as those of a request."""
        tag = self._router.choose(language)
        self.pinned.add(tag.model.language)
        self._pin(tag)
        with self._models.hurrying(tag):  # a person waits
            await self._warmer(tag)

    def unpin(self, language: str) -> None:
        """Let the model of a language make room for others again."""
        tag = self._router.choose(language)
        self.pinned.discard(tag.model.language)
        self._pinned_tags.discard(tag)
        self._models.pin(tag, pinned=False)

    async def _look(self) -> None:
        while True:
            try:
                self._swap.look()
            except Exception:  # noqa: BLE001  (whatever it is, the next look must come)
                _LOG.exception("the routes were not followed")
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep(self) -> None:
        seen: Mapping[str, Route] = {}
        now = asyncio.get_running_loop().time
        measured = now()
        while True:
            try:
                routes = dict(self._router.routes)
                if routes != seen:
                    await self._follow(routes)
                    seen = routes
                self.ready = True
                new = now() - measured < MEASURE_SECONDS
                measured = measured if new else now()
                await self._tokenizers.measure(new=new)
                await self._models.measure(new=new)
            except Exception:  # noqa: BLE001  (whatever it is, the next round must come)
                _LOG.exception("nothing was kept open or measured")
            await asyncio.sleep(LOOK_SECONDS)

    async def _follow(self, routes: Mapping[str, Route]) -> None:
        champions = {language: route.champion for language, route in routes.items()}
        for tag in self._pinned_tags - set(champions.values()):
            self._models.pin(tag, pinned=False)
            self._pinned_tags.discard(tag)
        pinned = [champions[language] for language in self.pinned if language in champions]
        for tag in pinned:
            self._pin(tag)
        users = Counter[Vocabulary]()
        for tag in champions.values():
            try:
                users[await self._warmer.encoder.vocabulary(tag)] += 1
            except PolysentError as error:
                _LOG.warning("%s: %s", tag, error)
        shared = [vocabulary for vocabulary, count in users.items() if count > 1]
        await self._attempt(*(self._load(vocabulary) for vocabulary in shared))
        await self._attempt(*(self._warmer(tag) for tag in pinned))

    def _pin(self, tag: Tag) -> None:
        self._pinned_tags.add(tag)
        self._models.pin(tag)

    async def _load(self, vocabulary: Vocabulary) -> None:
        async with self._tokenizers.lease(vocabulary):
            pass

    async def _attempt(self, *deeds: Awaitable[None]) -> None:
        for outcome in await asyncio.gather(*deeds, return_exceptions=True):
            if isinstance(outcome, Exception):
                _LOG.warning("not kept open: %s", outcome)
