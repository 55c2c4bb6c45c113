"""One line of a stream to the line that answers it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import to_json

from models.errors import BodyTooLarge, DeadlineExceeded, Overloaded, PolysentError
from serving.call import Call, Urgency
from serving.http.items import outcome
from serving.http.lines import Line
from serving.http.problems import misshapen, problem
from serving.result import Item, LineProblem, Prediction


@dataclass(frozen=True, slots=True)
class Clerk:
    """Answers lines, each within its own time, which begins when it is read.

    Every line has one answer, its problem if need be; a full queue is waited for, not told, and so
    is the rate of the caller's key.
    """

    answer: Callable[[Item, Call], Awaitable[Prediction]]
    seconds: float
    request: Call

    async def __call__(self, line: Line) -> bytes:
        """Return the answer as a line."""
        if line.content is None:
            return refusal(line, BodyTooLarge("the line has more bytes than a text may have"))
        try:
            item = Item.model_validate_json(line.content)
        except ValidationError as error:
            return refusal(line, misshapen(error))
        if seconds := self.request.caller.pay(1):
            await asyncio.sleep(seconds)
        said = await outcome(self._in_time(item), self.request.request_id)
        if isinstance(said, PolysentError):
            return refusal(line, said, item.id)
        named = {} if item.id is None else {"id": item.id}
        return to_json(named | said.__dict__) + b"\n"

    async def _in_time(self, item: Item) -> Prediction:
        deadline = time.monotonic() + self.seconds
        call = Call(deadline, Urgency.BULK, key=self.request.key, models=self.request.models)
        try:
            async with asyncio.timeout(self.seconds):
                return await self._patiently(item, call)
        except TimeoutError:
            message = f"no answer within {self.seconds:g} s"
            raise DeadlineExceeded(message) from None

    async def _patiently(self, item: Item, call: Call) -> Prediction:
        while True:
            try:
                return await self.answer(item, call)
            except Overloaded as full:
                await asyncio.sleep(full.retry_after or 1)


def refusal(line: Line, error: PolysentError, item_id: str | int | None = None) -> bytes:
    """Return the problem of a line, as a line."""
    said = LineProblem(id=item_id, line=line.number, **problem(error).model_dump())
    return said.model_dump_json().encode() + b"\n"
