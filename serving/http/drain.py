"""The ASGI layer with which a service ends: the door first, then whoever is inside."""

import asyncio
import os
import select
import signal
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from types import FrameType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LAST_CALL_SECONDS = 0.25
"""How long clients that keep their connections are asked to leave, before those are closed."""
CLOSE = (b"connection", b"close")
ENDING = "polysent.ending"
"""Where the scope of a request has a future that is done once the service ends."""

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
       meanwhile would wait for an accept that never comes. So the worker shuts it for both, once
       it has accepted who waits there: they would be cut off with their question asked.
    2. For LAST_CALL_SECONDS answers say `Connection: close`: who asks again and again over one
       connection leaves with an answer, instead of meeting a closed line with a question.
       Who reads a body without end stops there: the scope's ENDING says when.
    3. Then the server's own handler runs; a second signal runs it at once.
    """

    def __init__(
        self, app: ASGIApp, listener: int | None, last_call: float = LAST_CALL_SECONDS
    ) -> None:
        """Wrap an application that answers at the socket of this descriptor."""
        self._app = app
        self._listener = listener
        self._last_call = last_call
        self._told = False
        self._ending: asyncio.Future[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the life of the server."""

        async def starting(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._watch()
            await send(message)

        async def leaving(message: Message) -> None:
            if self._ending and self._ending.done() and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
            await send(message)

        if self._ending:
            scope[ENDING] = self._ending
        kinds = {"lifespan": starting, "http": leaving}
        await self._app(scope, receive, kinds.get(scope["type"], send))

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._ending = loop.create_future()
        for ending in (signal.SIGTERM, signal.SIGINT):
            server = signal.getsignal(ending)
            if callable(server):
                signal.signal(ending, self._handler(loop, server))

    def _handler(self, loop: asyncio.AbstractEventLoop, server: Handler) -> Handler:
        def handle(number: int, frame: FrameType | None) -> None:
            if self._told:
                server(number, frame)
                return
            self._told = True
            last = partial(server, number, None)
            asyncio.run_coroutine_threadsafe(self._end(listeners(server), last), loop)

        return handle

    async def _end(self, servers: Iterable[asyncio.Server], last: Callable[[], None]) -> None:
        await self._shut()
        await asyncio.sleep(0)  # asyncio can't begin a connection of a server that is closed
        for server in servers:
            server.close()  # no later: a listener that is shut is readable, the loop would spin
        if self._ending:
            self._ending.set_result(None)  # not before: who comes back must not get in the queue
        await asyncio.sleep(self._last_call)
        last()

    async def _shut(self) -> None:
        if self._listener is None:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + self._last_call
        with suppress(OSError), socket.socket(fileno=os.dup(self._listener)) as listener:
            while somebody_waits(listener) and loop.time() < until:  # noqa: ASYNC110  (no event)
                await asyncio.sleep(0)  # the server accepts one, or all
            listener.shutdown(socket.SHUT_RDWR)


def listeners(handler: Handler) -> Iterable[asyncio.Server]:
    """Return what uvicorn, whose handler this is, accepts connections with."""
    return getattr(getattr(handler, "__self__", None), "servers", ())


def somebody_waits(listener: socket.socket) -> bool:
    """Say whether a connection is there to be accepted."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(0))
