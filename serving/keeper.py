"""What is kept open before anyone asks for it, and measured while it is."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping

from models.artifact import Model
from models.errors import PolysentError
from models.identity import Tag
from models.openers import OpenTokenizer, Vocabulary
from models.residency import Residency
from models.routes import Route
from serving.call import Call
from serving.encoder import Encoder
from serving.router import Router
from serving.runner import Runners

_LOG = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
MEASURE_SECONDS = 10.0
WARM_UP = "a"


class Keeper:
    """Follows the routes: opens what is pinned, loads what is shared, drops what is retired.

    1. `ready` once the first routes are followed: no request pays for what was to be open.
    2. A tokenizer that several models share is loaded then, too: loading one stops the world
       (it holds Python's global lock), and the first request of a language must not do that.
    3. A pin is on a language: the version that is promoted next is opened, and pinned, as well.
    """

    def __init__(
        self,
        router: Router,
        models: Residency[Tag, Model],
        tokenizers: Residency[Vocabulary, OpenTokenizer],
        encoder: Encoder,
        runners: Runners,
    ) -> None:
        """Take the stations of the path."""
        self._router = router
        self._models = models
        self._tokenizers = tokenizers
        self._encoder = encoder
        self._runners = runners
        self._pinned_tags: set[Tag] = set()
        self.pinned: set[str] = set()
        self.ready = False
        self._running: asyncio.Task[None] | None = None

    def start(self, pinned: Iterable[str]) -> None:
        """Follow the routes from now on, and keep the models of these languages open."""
        self.pinned |= set(pinned)
        self._running = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Follow them no longer."""
        if self._running:
            self._running.cancel()

    async def _run(self) -> None:
        seen: Mapping[str, Route] = {}
        now = asyncio.get_running_loop().time
        measured = now()
        while True:
            routes = dict(self._router.routes)
            if routes != seen:
                seen = routes
                await self._follow(routes)
            self.ready = True
            new = now() - measured < MEASURE_SECONDS
            measured = measured if new else now()
            await self._tokenizers.measure(new=new)
            await self._models.measure(new=new)
            await asyncio.sleep(LOOK_SECONDS)

    async def pin(self, language: str) -> None:
        """Open the model of a language and keep it open; errors as those of a request."""
        tag = self._router.choose(language)
        self.pinned.add(tag.model.language)
        self._pin(tag)
        await self._warm(tag)

    def unpin(self, language: str) -> None:
        """Let the model of a language make room for others again."""
        tag = self._router.choose(language)
        self.pinned.discard(tag.model.language)
        self._pinned_tags.discard(tag)
        self._models.pin(tag, pinned=False)

    async def _follow(self, routes: Mapping[str, Route]) -> None:
        champions = {language: route.champion for language, route in routes.items()}
        users = Counter[Vocabulary]()
        for tag in champions.values():
            try:
                users[await self._encoder.vocabulary(tag)] += 1
            except PolysentError as error:
                _LOG.warning("%s: %s", tag, error)
        self._tokenizers.retain(frozenset(users))
        for tag in self._pinned_tags - set(champions.values()):
            self._models.pin(tag, pinned=False)
            self._pinned_tags.discard(tag)
        pinned = [champions[language] for language in self.pinned if language in champions]
        for tag in pinned:
            self._pin(tag)
        shared = [vocabulary for vocabulary, count in users.items() if count > 1]
        await self._attempt(*(self._load(vocabulary) for vocabulary in shared))
        await self._attempt(*(self._warm(tag) for tag in pinned))

    def _pin(self, tag: Tag) -> None:
        self._pinned_tags.add(tag)
        self._models.pin(tag)

    async def _load(self, vocabulary: Vocabulary) -> None:
        async with self._tokenizers.lease(vocabulary):
            pass

    async def _warm(self, tag: Tag) -> None:
        call = Call()
        await self._runners(tag, await self._encoder(tag, WARM_UP, call), call)

    async def _attempt(self, *deeds: Awaitable[None]) -> None:
        for outcome in await asyncio.gather(*deeds, return_exceptions=True):
            if isinstance(outcome, Exception):
                _LOG.warning("not kept open: %s", outcome)
