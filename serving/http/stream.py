"""Lines in, lines out: in order, side by side, in constant memory."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from models.errors import DeadlineExceeded, ModelUnavailable, PolysentError
from serving.http.clerk import refusal
from serving.http.drain import ENDING
from serving.http.lines import Line, Lines

MEDIA_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Limits:
    """Lines in flight, bytes of a line, and seconds in which nothing need move."""

    window: int
    longest_line: int
    idle_seconds: float


class Left(Exception):
    """The client has gone."""


class Stream(Response):
    """The answer to a stream: reads lines as fast as their answers are taken, and no faster.

    1. Answers leave in the order of their lines, as soon as they are there.
    2. No more than `window` lines are in flight; reading stops while the client takes nothing.
    3. A client who takes nothing, or sends nothing and is owed nothing, is left after
       `idle_seconds`; what is in flight for one who has left is cancelled.
    4. Once the service ends nothing more is read: what is in flight is answered, and the last line
       says where to go on.
    """

    media_type = MEDIA_TYPE

    def __init__(self, clerk: Callable[[Line], Awaitable[bytes]], limits: Limits) -> None:
        """Take who answers a line."""
        super().__init__()
        del self.headers["content-length"]
        self._clerk = clerk
        self._limits = limits
        self._lines = Lines(limits.longest_line)
        self._window: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue(limits.window)
        self._idle = asyncio.timeout(limits.idle_seconds)
        self._sending = False
        self._ending: asyncio.Future[None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer to the end of the body; DeadlineExceeded where it does not begin."""
        self._ending = scope.get(ENDING) or asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._limits.idle_seconds):
                first = await receive()
        except TimeoutError:
            raise self._nothing_came() from None
        # Not later: BentoML's own timeout ends with the first message.
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        try:
            async with self._idle:
                await self._flow(first, receive, send)
        except TimeoutError:
            if not self._sending:
                last = await self._refused(self._nothing_came())
                await send({"type": "http.response.body", "body": last})

    async def _flow(self, first: Message, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write(send))
                await self._read(first, receive, group)
        except* Left:
            pass

    async def _read(self, message: Message, receive: Receive, group: asyncio.TaskGroup) -> None:
        more: bool = True
        while more and message["type"] == "http.request":
            more = message.get("more_body", False)
            for line in self._lines.cut(message.get("body", b""), more=more):
                await self._window.put(group.create_task(self._answer(line)))
            if more and (following := await self._following(receive)):
                message = following
            elif more:
                await self._window.put(group.create_task(self._refused(ended())))
                break
        if message["type"] == "http.request":
            await self._window.put(None)
        while message["type"] == "http.request":
            message = await receive()
        raise Left

    async def _following(self, receive: Receive) -> Message | None:
        """Return what the client sends next; None once the service ends."""
        coming: asyncio.Future[Message] = asyncio.ensure_future(receive())
        try:
            await asyncio.wait((coming, self._ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            coming.cancel()
        if self._ending.done():
            return None
        if self._idle.when() is not None:
            self._moved()
        return coming.result()

    async def _refused(self, error: PolysentError) -> bytes:
        return refusal(Line(self._lines.number + 1, None), error)

    async def _answer(self, line: Line) -> bytes:
        return await self._clerk(line)

    async def _write(self, send: Send) -> None:
        body = b""
        while (answer := await self._window.get()) is not None:
            if not answer.done():
                await self._send(send, body)
                body = b""
                self._idle.reschedule(None)
            body += await answer
            if self._window.empty():
                await self._send(send, body)
                body = b""
        await send({"type": "http.response.body", "body": body})

    async def _send(self, send: Send, body: bytes) -> None:
        if body:
            self._moved()
            self._sending = True
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self._sending = False
            self._moved()

    def _moved(self) -> None:
        seconds = self._limits.idle_seconds
        self._idle.reschedule(asyncio.get_running_loop().time() + seconds)

    def _nothing_came(self) -> DeadlineExceeded:
        return DeadlineExceeded(f"nothing came for {self._limits.idle_seconds:g} s")


def ended() -> ModelUnavailable:
    """Return why no more lines are read."""
    return ModelUnavailable("the service is ending; send this line and what follows it again")
