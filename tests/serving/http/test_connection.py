import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import ClassVar

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config, config
from uvicorn.server import ServerState

from serving.http.connection import LARGEST_HEAD, SLICE, Connection, impatient

HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
LARGE = b"x" * 8 * 2**20
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Hasty(Connection):
    """Waits a little."""

    seconds: ClassVar[float] = 0.5


class Transport(asyncio.Transport):
    """A transport whose client never takes anything."""

    aborted = False

    def is_closing(self) -> bool:
        """Say that it is closed, which it is once all is taken."""
        return True

    def abort(self) -> None:
        """Note it."""
        self.aborted = True


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Read all, and answer; much where the path says so, or never."""
    message = await receive()
    while scope["path"] != "/early" and message.get("more_body"):
        message = await receive()
    while scope["path"] == "/never" and message["type"] != "http.disconnect":
        message = await receive()
    if message["type"] == "http.disconnect":
        return
    body = LARGE if scope["path"] == "/large" else b"answered"
    headers = [(b"content-length", b"%d" % len(body))]
    if scope["path"] == "/early":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def state() -> ServerState:
    """Return what uvicorn knows of its connections."""
    return ServerState()


@asynccontextmanager
async def connected(state: ServerState) -> AsyncIterator[Client]:
    """Serve, and connect."""
    served = Config(application, log_config=None)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Hasty(served, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        server.close()
        await until_nobody_is_left(state)


async def until_nobody_is_left(state: ServerState) -> None:
    """Wait until no connection is held."""
    async with asyncio.timeout(5):
        while state.connections:  # noqa: ASYNC110  (uvicorn waits so)
            await asyncio.sleep(0.01)


async def sent(client: Client, head: bytes, piece: bytes) -> int:
    """Send a head, and pieces until nobody takes them; return how many bytes were taken at most."""
    reader, writer = client
    writer.write(head)
    size = 0
    while not reader.at_eof() and size < 100 * LARGEST_HEAD:
        try:
            writer.write(piece)
            await writer.drain()
        except ConnectionError:
            break
        size += len(piece)
        await asyncio.sleep(0)
    return size


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"GET / HTTP/1.1\r\n", b"a: b\r\n"),
        (b"GET / HTTP/1.1\r\na: ", b"b" * 100),
        (b"GET /", b"b" * 100),
        (HEAD + b"0\r\n", b"a: b\r\n"),
        (HEAD + b"0\r\na: ", b"b" * 100),
        (b"POST /never HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n", b"a: b\r\n"),
    ],
    ids=["headers", "a header", "a path", "trailers", "a trailer", "headers of the next request"],
)
async def test_head_and_trailers_have_an_end(
    state: ServerState, monkeypatch: pytest.MonkeyPatch, head: bytes, piece: bytes
) -> None:
    """All of them are kept, and they need no key."""
    monkeypatch.setattr(Hasty, "seconds", 60)
    async with connected(state) as client:
        assert await sent(client, head, piece * 10) < 50 * LARGEST_HEAD
        await until_nobody_is_left(state)


async def test_head_that_is_large_and_whole_is_431(state: ServerState) -> None:
    """However few pieces it comes in."""
    async with connected(state) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\na: " + b"b" * LARGEST_HEAD + b"\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\na: ",
        b"GET /",
        HEAD + b"0\r\na: ",
        b"POST /never HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\na: ",
    ],
    ids=["a header", "a path", "a trailer", "a header of the next request"],
)
async def test_head_that_comes_at_once_is_counted(
    state: ServerState, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """What is read together with the begin of a line is a part of it, to a slice."""
    monkeypatch.setattr(Hasty, "seconds", 60)
    async with connected(state) as (_, writer):
        writer.write(begun + b"b" * (LARGEST_HEAD - 2 * SLICE))
        await asyncio.sleep(0.1)
        assert state.connections
    async with connected(state) as (_, writer):
        writer.write(begun + b"b" * (LARGEST_HEAD + SLICE))
        await until_nobody_is_left(state)


async def test_body_is_no_head(state: ServerState) -> None:
    """Nor is what comes with it: chunks and a few trailers."""
    async with connected(state) as (reader, writer):
        for _ in range(3):
            chunks = (b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n") * 10
            writer.write(HEAD + chunks + b"0\r\na: b\r\n\r\n")
            assert (await reader.readuntil(b"answered")).startswith(b"HTTP/1.1 200")


async def test_who_reads_nothing_is_dropped(state: ServerState) -> None:
    """The connection would be there for ever, and with it the server."""
    async with connected(state) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /large HTTP/1.1\r\n\r\n")
        await asyncio.sleep(Hasty.seconds / 2)
        assert state.connections
        await until_nobody_is_left(state)


async def test_who_is_still_sending_gets_the_answer(state: ServerState) -> None:
    """A connection that is closed under its client would be reset, and the answer lost."""
    async with connected(state) as (reader, writer):
        writer.write(b"POST /early HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n")
        with suppress(ConnectionError):
            for _ in range(8):
                writer.write(b"x" * 2**18)
                await asyncio.wait_for(writer.drain(), 1)
                await asyncio.sleep(0.01)
        assert (await reader.read()).endswith(b"answered")
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(2):
        while state.tasks:  # noqa: ASYNC110  (uvicorn waits so)
            await asyncio.sleep(0.01)


async def test_who_reads_late_gets_all(state: ServerState) -> None:
    """As long as it is not too late."""
    async with connected(state) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /large HTTP/1.1\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(Hasty.seconds / 2)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        assert (await reader.read()).endswith(LARGE)


async def test_last_bytes_are_not_waited_for_either(state: ServerState) -> None:
    """A transport that is closed waits for ever for little to be taken."""
    made = Hasty(Config(application, log_config=None), state, {})
    transport = Transport()
    made.connection_made(transport)
    await asyncio.sleep(Hasty.seconds / 2)
    assert not transport.aborted
    await asyncio.sleep(2 * Hasty.seconds)
    assert transport.aborted


def test_server_takes_connections_so() -> None:
    """By the name that BentoML gives no other."""
    before = config.HTTP_PROTOCOLS["auto"], Connection.seconds
    try:
        impatient(7.0)
        made = Config(application, log_config=None)
        made.load()
        assert made.http_protocol_class is Connection
        assert Connection.seconds == 7.0
    finally:
        config.HTTP_PROTOCOLS["auto"], Connection.seconds = before
