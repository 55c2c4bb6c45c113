"""Two shelves behind one another: what is near first, then what is far."""

import asyncio

from models.labels import Scores
from serving.cache import Shelf

WRITES = 256
"""Most answers on their way to the far shelf; beyond, they are kept near only."""


class Tiered:
    """Asks the near shelf, then the far one; what was found far is near the next time.

    Nobody waits for an answer to be kept far away.
    """

    def __init__(self, near: Shelf, far: Shelf) -> None:
        """Take the two shelves."""
        self._near = near
        self._far = far
        self._writes: set[asyncio.Task[None]] = set()

    async def get(self, key: bytes) -> Scores | None:
        """Return the answer, or None."""
        if (scores := await self._near.get(key)) is not None:
            return scores
        if (scores := await self._far.get(key)) is not None:
            await self._near.put(key, scores)
        return scores

    async def put(self, key: bytes, scores: Scores) -> None:
        """Keep an answer near at once, and far in a moment."""
        await self._near.put(key, scores)
        if len(self._writes) < WRITES:
            write = asyncio.create_task(self._far.put(key, scores))
            self._writes.add(write)
            write.add_done_callback(self._writes.discard)
