import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import FrameType

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.http.drain import ENDING, Drain, given_socket

LAST_CALL = 0.1


async def answer(_: Request) -> Response:
    """Answer."""
    return Response("answered")


@dataclass
class Told:
    """What reached the server's own handler, and what it accepts connections with."""

    servers: list[asyncio.Server] = field(default_factory=list)
    signals: list[int] = field(default_factory=list)
    something: asyncio.Event = field(default_factory=asyncio.Event)

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        """Note a signal."""
        del frame
        self.signals.append(number)
        self.something.set()


@pytest.fixture
def told() -> Iterator[Told]:
    """Handle signals as a server does, and put the old handlers back."""
    server = Told()
    before = {
        each: signal.signal(each, server.handle_exit) for each in (signal.SIGTERM, signal.SIGINT)
    }
    yield server
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """Return a socket that listens, and that a supervisor holds open too."""
    with socket.create_server(("127.0.0.1", 0)) as listener, listener.dup():
        yield listener


@asynccontextmanager
async def alive(drain: Drain) -> AsyncIterator[None]:
    """Take an application through its start, as a server does."""
    started = asyncio.Event()
    events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    events.put_nowait({"type": "lifespan.startup"})

    async def send(message: object) -> None:
        del message
        started.set()

    life = asyncio.create_task(drain({"type": "lifespan"}, events.get, send))
    await started.wait()
    yield
    events.put_nowait({"type": "lifespan.shutdown"})
    await life


def drained(door: socket.socket) -> Drain:
    """Return an application behind a drain."""
    return Drain(Starlette(routes=[Route("/", answer)]), door.fileno(), LAST_CALL)


def refuses(address: tuple[str, int]) -> bool:
    """Say whether nobody listens there."""
    with socket.socket() as client:
        return client.connect_ex(address) != 0


async def test_new_connection_is_refused_while_a_supervisor_holds_the_socket(
    told: Told, door: socket.socket
) -> None:
    """It would wait in the backlog for an accept that never comes."""
    async with alive(drained(door)):
        assert not refuses(door.getsockname())
        door.accept()[0].close()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        await asyncio.sleep(LAST_CALL / 2)

        assert refuses(door.getsockname())
        assert not told.signals, "the server would close connections that are in use"
        await asyncio.wait_for(told.something.wait(), 5)


async def test_last_call_asks_clients_to_leave(told: Told, door: socket.socket) -> None:
    """What is asked over a kept connection is answered, and the connection closed after it."""
    drain = drained(door)
    transport = httpx.ASGITransport(drain)
    async with alive(drain), httpx.AsyncClient(transport=transport, base_url="http://it") as client:
        before = await client.get("/")
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(LAST_CALL / 2)
        after = await client.get("/")

        assert "connection" not in before.headers
        assert (after.text, after.headers["connection"]) == ("answered", "close")
        await asyncio.wait_for(told.something.wait(), 5)


async def test_who_waits_to_be_accepted_is_answered(told: Told, door: socket.socket) -> None:
    """They have asked already; and while clients leave the loop has nothing to do."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"answered")
        writer.close()

    async with alive(drained(door)):
        told.servers.append(await asyncio.start_server(greet, sock=door.dup()))
        waiting = [socket.create_connection(door.getsockname()) for _ in range(50)]
        for client in waiting:
            client.sendall(b"question")
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(LAST_CALL / 2)
        busy = time.thread_time()
        await asyncio.wait_for(told.something.wait(), 5)

        assert time.thread_time() - busy < LAST_CALL / 4
        assert refuses(door.getsockname())
    for client in waiting:
        with client:
            assert client.recv(100) == b"answered"


async def test_request_sees_that_the_service_ends(told: Told, door: socket.socket) -> None:
    """Who reads without end has to stop."""
    seen: list[asyncio.Future[None]] = []

    async def note(request: Request) -> Response:
        seen.append(request.scope[ENDING])
        return Response()

    drain = Drain(Starlette(routes=[Route("/", note)]), door.fileno(), LAST_CALL)
    transport = httpx.ASGITransport(drain)
    async with alive(drain), httpx.AsyncClient(transport=transport, base_url="http://it") as client:
        await client.get("/")
        assert not seen[0].done()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(seen[0], 5)
        assert not told.signals
        await asyncio.wait_for(told.something.wait(), 5)


async def test_second_signal_does_not_wait(told: Told, door: socket.socket) -> None:
    """Who presses Ctrl-C twice means it."""
    drain = Drain(Starlette(), door.fileno(), last_call=60)
    async with alive(drain):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.01)
        assert not told.signals
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(told.something.wait(), 5)

    assert told.signals == [signal.SIGINT]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["worker.service", ".", "--fd", "7", "--worker-id", "1"], 7),
        (["bentoml", "serve", "."], None),
        (["worker.service", "--fd"], None),
    ],
)
def test_worker_finds_the_socket_it_was_given(argv: list[str], expected: int | None) -> None:
    """BentoML names it on the command line, and nowhere else."""
    assert given_socket(argv) == expected
