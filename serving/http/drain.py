"""The ASGI layer with which a service ends: the door first, then whoever is inside."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from types import FrameType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LAST_CALL_SECONDS = 0.25
"""How long clients that keep their connections are asked to leave, before those are closed."""
CLOSE = (b"connection", b"close")

Handler = Callable[[int, FrameType | None], None]


def given_socket(argv: Sequence[str]) -> int | None:
    """Return the descriptor of the socket that BentoML gave its worker; None outside a worker."""
    for option, value in pairwise(argv):
        if option == "--fd" and value.isdecimal():
            return int(value)
    return None


class Drain:
    """On SIGTERM and SIGINT refuses new connections, answers what is under way, then ends.

    1. BentoML's supervisor holds the listening socket until its worker has ended; connections made
       meanwhile would wait for an accept that never comes. So the worker shuts it for both.
    2. For LAST_CALL_SECONDS answers say `Connection: close`: who asks again and again over one
       connection leaves with an answer, instead of meeting a closed line with a question.
    3. Then the server's own handler runs; a second signal runs it at once.
    """

    def __init__(
        self, app: ASGIApp, listener: int | None, last_call: float = LAST_CALL_SECONDS
    ) -> None:
        """Wrap an application that answers at the socket of this descriptor."""
        self._app = app
        self._listener = listener
        self._last_call = last_call
        self._ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the life of the server."""

        async def starting(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._watch()
            await send(message)

        async def leaving(message: Message) -> None:
            if self._ending and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
            await send(message)

        kinds = {"lifespan": starting, "http": leaving}
        await self._app(scope, receive, kinds.get(scope["type"], send))

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        for ending in (signal.SIGTERM, signal.SIGINT):
            server = signal.getsignal(ending)
            if callable(server):
                signal.signal(ending, self._handler(loop, server))

    def _handler(self, loop: asyncio.AbstractEventLoop, server: Handler) -> Handler:
        def handle(number: int, frame: FrameType | None) -> None:
            if self._ending:
                server(number, frame)
                return
            self._close()  # before any answer says so: who comes back must not get in the queue
            self._ending = True
            loop.call_soon_threadsafe(loop.call_later, self._last_call, server, number, None)

        return handle

    def _close(self) -> None:
        if self._listener is None:
            return
        with suppress(OSError), socket.socket(fileno=os.dup(self._listener)) as listener:
            listener.shutdown(socket.SHUT_RDWR)
