"""The request log: one line a request, and never what was asked.

It is written at once, past `logging`, which costs more than the rest of the line.
"""

import os
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.log import Form, timestamp
from serving.call import CALL, Call

PROBES = frozenset(
    {"/metrics", "/healthz", "/livez", "/readyz", "/ping", "/v2/health/live", "/v2/health/ready"}
)
"""Asked every few seconds, and not logged."""

STDOUT = 1

Fields = dict[str, Any]


def to_stdout(line: bytes) -> None:
    """Write a line; one that nobody can take is lost, its request is not."""
    try:
        os.write(STDOUT, line)
    except OSError:
        return


class RequestLog:
    """Says of each request how it was answered, by which model, and how long that took."""

    def __init__(
        self, app: ASGIApp, form: Form, write: Callable[[bytes], object] = to_stdout
    ) -> None:
        """Wrap an application."""
        self._app = app
        self._line = _json if form == "json" else _text
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            seconds = time.perf_counter() - began
            self._write(self._line(fields(scope, status, seconds)))


def route(scope: Scope, status: int) -> str:
    """Return the path as it is documented, `/predict/{language}`.

    Empty where nothing is there: whatever a caller puts into a path may be a text.
    """
    if status == HTTPStatus.NOT_FOUND or "endpoint" not in scope:
        return ""
    path: str = scope["path"]
    if not (values := scope.get("path_params")):
        return path
    names = {value: f"{{{name}}}" for name, value in values.items()}
    return "/".join(names.get(part, part) for part in path.split("/"))


def fields(scope: Scope, status: int, seconds: float) -> Fields:
    """Return what a line says of a request: of one model by name, of several as a list."""
    said: Fields = {
        "time": timestamp(time.time()),
        "level": "error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "info",
        "logger": "polysent.requests",
        "method": scope["method"],
        "route": route(scope, status),
        "status": status,
        "milliseconds": round(seconds * 1000, 2),
    }
    call: Call | None = scope.get(CALL)
    if call is None:
        return said
    said["request_id"] = call.request_id
    if call.caller.name:
        said["caller"] = call.caller.name
    if call.traceparent:
        said["traceparent"] = call.traceparent
    if len(call.models) == 1:
        (model,) = call.models
        said |= {"language": model.language, "version": model.version}
    elif call.models:
        said["models"] = sorted(str(model) for model in call.models)
    return said


def _json(said: Fields) -> bytes:
    return to_json(said) + b"\n"


def _text(said: Fields) -> bytes:
    at, level, _, method, where, status, *more = said.values()
    named = " ".join(f"{name}={value}" for name, value in list(said.items())[-len(more) :])
    return f"{at} [{level.upper()}] {method} {where or '-'} {status} {named}\n".encode()
