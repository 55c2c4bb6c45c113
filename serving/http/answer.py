"""An answer on its way out: its headers, and every error as a problem."""

import time
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from models.errors import PolysentError
from serving.call import call_of
from serving.http import headers as said
from serving.http import problems

LEFT = 499
"""The status, in logs only, of a request whose client has left (nginx's)."""


class Answer:
    """Sends an answer on with what every answer says; an error of anybody's leaves as a problem.

    The body of an error is held until it is whole. Headers that say the length of a body are held
    until it comes, so that both leave together: a balancer whose service is killed can ask another
    one as long as nothing of an answer has come.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the clock of `Server-Timing`."""
        self._connection = (scope, receive, self._labelled)
        self._send = send
        self._call = call_of(scope)
        self._began = time.perf_counter()
        self._error: Message | None = None
        self._head: Message | None = None
        self._body = bytearray()
        self._started = False
        self.preference: str | None = None
        """The caller's preference that is honoured (RFC 7240)."""

    async def __call__(self, message: Message) -> None:
        """Take what the application sends."""
        if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
            self._error = message
        elif self._error is None:
            await self._labelled(message)
        else:
            await self._collect(self._error, message)

    async def refuse(self, error: PolysentError) -> None:
        """Answer with a problem, unless an answer is under way."""
        if not self._started:
            answer = problems.response(error)
            await self._problem(answer, bytes(answer.body))

    async def abandon(self) -> None:
        """End a request whose client has left: BentoML waits for a first message of its answer."""
        if not self._started:
            await self._labelled({"type": "http.response.start", "status": LEFT, "headers": []})
            await self._labelled({"type": "http.response.body", "body": b""})

    async def _labelled(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=[*message.get("headers", ())])
            headers["X-Request-Id"] = self._call.request_id
            seconds = time.perf_counter() - self._began
            headers["Server-Timing"] = said.server_timing(self._call.stages, seconds)
            if self._call.traceparent:
                headers["traceparent"] = self._call.traceparent
            if self.preference:
                headers["Preference-Applied"] = self.preference
            message = {**message, "headers": headers.raw}
            self._head = message if "content-length" in headers else None
            if self._head:
                return
        self._started = True
        if self._head is not None:
            head, self._head = self._head, None
            await self._send(head)
        await self._send(message)

    async def _collect(self, start: Message, message: Message) -> None:
        self._body += message.get("body", b"")
        if not message.get("more_body", False) and not self._started:
            error = Response(status_code=start["status"], headers=Headers(raw=[*start["headers"]]))
            await self._problem(error, bytes(self._body))

    async def _problem(self, error: Response, body: bytes) -> None:
        media_type = error.headers.get("content-type", "")
        answer = problems.of_answer(error.status_code, media_type, body, self._call.request_id)
        if allow := error.headers.get("allow"):
            answer.headers["Allow"] = allow
        await answer(*self._connection)
