"""Answers that were computed before, and those that are being computed for someone else."""

import asyncio
import sys
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

from models.errors import EngineFailed
from models.identity import Tag
from models.labels import Scores
from serving.call import Call

Score = Callable[[Tag, list[int], Call], Awaitable[Scores]]
Found = Literal["hit", "joined", "miss"]
ENTRY_BYTES = 640
"""What an entry takes beside its key: a dict of three floats and its place in the order."""


class Shelf(Protocol):
    """Where answers are kept; a shelf that fails behaves as if it were empty."""

    async def get(self, key: bytes) -> Scores | None:
        """Return the answer, or None."""
        ...

    async def put(self, key: bytes, scores: Scores) -> None:
        """Keep an answer, for as long as there is room."""
        ...


class Memory:
    """Keeps the answers that were used last, in so many bytes."""

    def __init__(self, limit: int) -> None:
        """Start empty."""
        self._limit = limit
        self._answers: OrderedDict[bytes, Scores] = OrderedDict()
        self.nbytes = 0

    async def get(self, key: bytes) -> Scores | None:
        """Return the answer, or None."""
        if (scores := self._answers.get(key)) is not None:
            self._answers.move_to_end(key)
        return scores

    async def put(self, key: bytes, scores: Scores) -> None:
        """Keep an answer; the ones unused for longest make room."""
        if key not in self._answers:
            self.nbytes += sys.getsizeof(key) + ENTRY_BYTES
        self._answers[key] = scores
        while self.nbytes > self._limit:
            oldest, _ = self._answers.popitem(last=False)
            self.nbytes -= sys.getsizeof(oldest) + ENTRY_BYTES


class Cached:
    """Answers from a shelf where it can; what is being computed already is waited for.

    The key is the model's version and the token ids, after truncation: what is equal there is
    equal to the engine, and nothing else is, so an answer is never stale and never another's.
    """

    def __init__(self, score: Score, shelf: Shelf, note: Callable[[Found], None]) -> None:
        """Wrap what computes."""
        self._score = score
        self._shelf = shelf
        self._note = note
        self._flights: dict[bytes, asyncio.Future[Scores]] = {}

    async def __call__(self, tag: Tag, row: list[int], call: Call) -> Scores:
        """Answer one text, given as token ids; errors as the wrapped one's.

        An error of the engine is shared. Where another caller's request fails for reasons of
        its own (it left, its time was up), this one goes on by itself.
        """
        key = f"{tag} ".encode() + array("I", row).tobytes()
        while True:
            if (scores := await self._shelf.get(key)) is not None:
                self._note("hit")
                return scores
            if (flight := self._flights.get(key)) is None:
                self._note("miss")
                return await self._fly(key, tag, row, call)
            await asyncio.wait([flight])
            if not flight.cancelled():
                self._note("joined")
                if error := flight.exception():
                    raise EngineFailed(str(error))
                return flight.result()

    async def _fly(self, key: bytes, tag: Tag, row: list[int], call: Call) -> Scores:
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            scores = await self._score(tag, row, call)
        except EngineFailed as error:
            flight.set_exception(error)
            flight.exception()  # it may be that nobody waits for it
            raise
        else:
            flight.set_result(scores)
            await self._shelf.put(key, scores)
            return scores
        finally:
            del self._flights[key]
            flight.cancel()
