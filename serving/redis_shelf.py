"""Answers shared by replicas through Redis, which may die at any moment; the only user of redis."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter, ValidationError
from redis import asyncio as redis
from redis.exceptions import RedisError, ResponseError

from models.labels import Label, Scores

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = b"polysent:1:"
"""Before each key; the number changes with the form of the values."""
KEPT_SECONDS = 24 * 60 * 60
LONGEST_SECONDS = 0.05
"""What takes longer has failed."""
PAUSE_SECONDS = 5.0
"""How long nobody asks after a failure; then one request tries for all."""
CONNECTIONS = 32

_SCORES = TypeAdapter[Scores](
    Annotated[dict[Label, Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]
)


class Redis:
    """A shelf in a Redis server that may be shared, slow, dead, or full of another's data.

    1. Whatever is wrong with it is a miss, never an error, and takes 50 ms at most.
    2. After a failure it is left alone for a few seconds, save for one request that tries again.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Take its address (`redis://host:6379/0`, `rediss://`); nothing is connected yet."""
        pool = redis.BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=LONGEST_SECONDS
        )
        self._client = redis.Redis.from_pool(pool)
        self._address = urlsplit(url).netloc.rpartition("@")[2]
        self._clock = clock
        self._failed = False
        self._again = 0.0

    async def get(self, key: bytes) -> Scores | None:
        """Return the answer; None where there is none, or none that can be read in time."""
        value = await self._attempt(lambda: self._client.get(PREFIX + key))
        try:
            return None if value is None else _SCORES.validate_json(value)
        except ValidationError:
            return None

    async def put(self, key: bytes, scores: Scores) -> None:
        """Keep an answer for a day, if that can be done in time."""
        value = json.dumps(scores, separators=(",", ":"))
        await self._attempt(lambda: self._client.set(PREFIX + key, value, ex=KEPT_SECONDS))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _attempt(self, deed: Callable[[], Awaitable[T]]) -> T | None:
        trial = self._failed
        if trial and self._clock() < self._again:
            return None
        self._again = self._clock() + PAUSE_SECONDS
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                done = await deed()
        except ResponseError as error:
            _LOG.debug("Redis at %s: %s", self._address, error)
            done = None
        except (RedisError, OSError, TimeoutError) as error:
            self._broke(error)
            return None
        if trial:
            _LOG.warning("Redis at %s answers again", self._address)
            self._failed = False
        return done

    def _broke(self, error: Exception) -> None:
        if not self._failed:
            why = str(error) or type(error).__name__
            _LOG.warning("Redis at %s fails: %s; answers go on without it", self._address, why)
        self._failed = True
