"""The ASGI layer around BentoML: what may come in, and how errors go out."""

import asyncio
import logging
from contextlib import suppress
from http import HTTPStatus

from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import BodyTooLarge, DeadlineExceeded, PolysentError, UnsupportedMediaType
from serving import problems

JSON = "application/json"
GONE: Message = {"type": "http.disconnect"}


class Edge:
    """Reads a body up to a limit, wants it to be JSON, and turns every error into a problem.

    1. A body is read before the application sees it, so that a refusal costs no parsing.
    2. What the application does for a client who has left, or beyond the deadline, is cancelled.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, seconds: float) -> None:
        """Wrap an application; a request has so many bytes and seconds, its body included."""
        self._app = app
        self._limit = max_body_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Translated(scope, receive, send)
        try:
            async with asyncio.timeout(self._seconds):
                if scope["method"] == "POST":
                    await self._post(scope, receive, answer)
                else:
                    await self._app(scope, receive, answer)
        except TimeoutError:
            await answer.refuse(DeadlineExceeded(f"no answer within {self._seconds:g} s"))
        except PolysentError as error:
            await answer.refuse(error)

    async def _post(self, scope: Scope, receive: Receive, answer: Send) -> None:
        body = await self._body(Headers(scope=scope), receive)
        if body is None:
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

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the whole body; None where the client leaves before it is sent."""
        media_type = headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if media_type != JSON:
            wrong = f"the body is {media_type!r}; send application/json"
            raise UnsupportedMediaType(wrong)
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


class _Translated:
    """Sends an answer on as it is, an error that is no problem yet as one."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._connection = (scope, receive, send)
        self._send = send
        self._foreign: Message | None = None
        self._body = bytearray()
        self._started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_foreign_error(message):
            self._foreign = message
        elif self._foreign is None:
            self._started = True
            await self._send(message)
        else:
            await self._collect(self._foreign, message)

    async def refuse(self, error: PolysentError) -> None:
        """Answer with a problem, unless an answer is under way."""
        if not self._started:
            self._started = True
            await problems.response(error)(*self._connection)

    async def _collect(self, start: Message, message: Message) -> None:
        self._body += message.get("body", b"")
        if message.get("more_body", False) or self._started:
            return
        self._started = True
        answer = problems.from_bentoml(start["status"], bytes(self._body))
        if allow := Headers(raw=list(start["headers"])).get("allow"):
            answer.headers["Allow"] = allow
        await answer(*self._connection)


def _is_foreign_error(start: Message) -> bool:
    media_type = Headers(raw=list(start["headers"])).get("content-type", "")
    return start["status"] >= HTTPStatus.BAD_REQUEST and media_type != problems.MEDIA_TYPE


class OnlyOurFaults(logging.Filter):
    """Drops the traceback that BentoML logs for each request of the wrong shape."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a record unless it reports a caller's mistake."""
        return not (record.exc_info and isinstance(record.exc_info[1], ValidationError))
