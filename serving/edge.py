"""The ASGI layer around BentoML: what may come in, and how errors go out."""

import logging
from http import HTTPStatus

from pydantic import ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import BodyTooLarge, ClientError, UnsupportedMediaType
from serving import problems

JSON = "application/json"


class Edge:
    """Reads a body up to a limit, wants it to be JSON, and turns every error into a problem.

    Bodies are read before the application sees them, so that a refusal costs no parsing.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        """Wrap an application; max_body_bytes is the largest body it is given."""
        self._app = app
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST":
            try:
                receive = await self._body(Headers(scope=scope), receive)
            except ClientError as error:
                await problems.response(error)(scope, receive, send)
                return
        await self._app(scope, receive, _Translated(scope, receive, send))

    async def _body(self, headers: Headers, receive: Receive) -> Receive:
        media_type = headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if media_type != JSON:
            message = f"the body is {media_type!r}; send application/json"
            raise UnsupportedMediaType(message)
        body = bytearray()
        last: Message = {"type": "http.request", "more_body": True}
        while last["type"] == "http.request" and last.get("more_body", False):
            last = await receive()
            body += last.get("body", b"")
            if len(body) > self._limit:
                message = f"the body has more than {self._limit} bytes"
                raise BodyTooLarge(message)
        return _replay(bytes(body), last, receive)


def _replay(body: bytes, last: Message, receive: Receive) -> Receive:
    pending = [{**last, "body": body} if last["type"] == "http.request" else last]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


class _Translated:
    """Sends an answer on as it is, an error that is no problem yet as one."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._connection = (scope, receive, send)
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _foreign_error(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            await self._collect(message)

    async def _collect(self, message: Message) -> None:
        self._body += message.get("body", b"")
        if message.get("more_body", False) or self._start is None:
            return
        answer = problems.from_bentoml(self._start["status"], bytes(self._body))
        if allow := MutableHeaders(raw=self._start["headers"]).get("allow"):
            answer.headers["Allow"] = allow
        await answer(*self._connection)


def _foreign_error(start: Message) -> bool:
    media_type = Headers(raw=list(start["headers"])).get("content-type", "")
    return start["status"] >= HTTPStatus.BAD_REQUEST and media_type != problems.MEDIA_TYPE


class OnlyOurFaults(logging.Filter):
    """Drops the traceback that BentoML logs for each request of the wrong shape."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a record unless it reports a caller's mistake."""
        return not (record.exc_info and isinstance(record.exc_info[1], ValidationError))
