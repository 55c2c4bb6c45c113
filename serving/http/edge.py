"""The ASGI layer around BentoML: what may come in, and how answers go out."""

import asyncio
import logging
import time
from collections.abc import Container
from contextlib import suppress

from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import BodyTooLarge, DeadlineExceeded, PolysentError
from serving.call import CALL, Call
from serving.http import headers as said
from serving.http.answer import Answer

JSON = "application/json"
GONE: Message = {"type": "http.disconnect"}


class Edge:
    """Gives each request its Call and its time, reads its body, and makes every error a problem.

    1. A body is read before the application sees it, so that a refusal costs no parsing.
    2. What the application does for a client who has left, or beyond the deadline, is cancelled.
    3. A path that streams reads its body itself, and keeps its own time.
    """

    def __init__(
        self, app: ASGIApp, max_body_bytes: int, seconds: float, streams: Container[str] = ()
    ) -> None:
        """Wrap an application; a request has so many bytes and seconds, its body included."""
        self._app = app
        self._limit = max_body_bytes
        self._seconds = seconds
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        call = Call(
            request_id=said.request_id(headers),
            traceparent=said.next_span(headers),
            key=headers.get("x-request-key", ""),
        )
        scope[CALL] = call
        answer = Answer(scope, receive, send)
        try:
            patience = said.patience(headers, self._seconds)
            call.deadline = time.monotonic() + patience.seconds
            answer.preference = patience.applied
            if scope["path"] in self._streams:
                await self._app(scope, receive, answer)
                return
            async with asyncio.timeout(patience.seconds):
                if scope["method"] == "POST":
                    await self._post(scope, receive, answer)
                else:
                    await self._app(scope, receive, answer)
        except TimeoutError:
            await answer.refuse(DeadlineExceeded(f"no answer within {patience.seconds:g} s"))
        except PolysentError as error:
            await answer.refuse(error)

    async def _post(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        body = await self._body(Headers(scope=scope), receive)
        if body is None:
            await answer.abandon()
            return
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        left = asyncio.create_task(_left(receive))

        async def replayed() -> Message:
            if messages:
                return messages.pop()
            await left
            return GONE

        working = asyncio.ensure_future(self._app(scope, replayed, answer))
        try:
            await asyncio.wait({working, left}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            for task in (working, left):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await working
        await answer.abandon()

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the whole body; None where the client leaves before it is sent."""
        said.must_be(headers, JSON)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == GONE["type"]:
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limit:
                too_large = f"the body has more than {self._limit} bytes"
                raise BodyTooLarge(too_large)
        return bytes(body)


async def _left(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != GONE["type"]:
        pass


class OnlyOurFaults(logging.Filter):
    """Drops the traceback that BentoML logs for each request of the wrong shape."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a record unless it reports a caller's mistake."""
        return not (record.exc_info and isinstance(record.exc_info[1], ValidationError))
