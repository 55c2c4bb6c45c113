"""The ASGI layer around BentoML: what may come in, and how answers go out."""

import asyncio
import logging
import time
from collections.abc import Callable, Container
from contextlib import suppress

from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import BodyTooLarge, DeadlineExceeded, PolysentError, UploadTooSlow
from serving.call import CALL, Call
from serving.caller import ANYONE, Caller
from serving.http import headers as said
from serving.http.answer import Answer
from serving.http.limits import Limits

JSON = "application/json"
GONE: Message = {"type": "http.disconnect"}
REPORTS_TO = "bentoml._internal.server.http_app"
"""The logger of BentoML's tracebacks; a filter of a logger above it would not see them."""


class Edge:
    """Gives each request its Call and its time, reads its body, and makes every error a problem.

    1. Who may not ask is refused before anything is read.
    2. A body is read before the application sees it, so that a refusal costs no parsing.
    3. What the application does for a client who has left, or beyond the deadline, is cancelled.
    4. A path that streams reads its body itself, and keeps its own time.
    5. There are no websockets.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        streams: Container[str] = (),
        access: Callable[[Scope, Headers], Caller] = lambda *_: ANYONE,
    ) -> None:
        """Wrap an application; `access` says who asks, or raises a PolysentError."""
        self._app = app
        self._limits = limits
        self._streams = streams
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            await _hang_up(receive, send)
            return
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
            call.caller = self._access(scope, headers)
            patience = said.patience(headers, self._limits.seconds)
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
        self._fits(said.content_length(headers))
        late = asyncio.timeout(self._limits.upload_seconds)
        try:
            async with late:
                return await self._whole(receive)
        except TimeoutError:
            if not late.expired():
                raise
            too_slow = f"the body did not arrive within {self._limits.upload_seconds:g} s"
            raise UploadTooSlow(too_slow) from None

    async def _whole(self, receive: Receive) -> bytes | None:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == GONE["type"]:
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            self._fits(len(body))
        return bytes(body)

    def _fits(self, length: int) -> None:
        if length > self._limits.body_bytes:
            too_large = f"the body has more than {self._limits.body_bytes} bytes"
            raise BodyTooLarge(too_large)


async def _hang_up(receive: Receive, send: Send) -> None:
    """Refuse a websocket; the server says 403."""
    await receive()
    await send({"type": "websocket.close"})


async def _left(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != GONE["type"]:
        pass


class OnlyOurFaults(logging.Filter):
    """Drops the traceback that BentoML logs for each request of the wrong shape: it shows texts."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a record unless it reports a caller's mistake."""
        return not (record.exc_info and isinstance(record.exc_info[1], ValidationError))
