import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from starlette.types import Message

from models.errors import DeadlineExceeded
from serving.http.lines import Line
from serving.http.stream import Limits, Stream

WINDOW = 8
LIMITS = Limits(window=WINDOW, longest_line=100, idle_seconds=0.3)
Clerk = Callable[[Line], Awaitable[bytes]]


@dataclass
class Client:
    """A client with memory: what it has sent is read in order, what it has been sent is kept."""

    sent: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    got: list[Message] = field(default_factory=list)
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    read: int = 0

    def __post_init__(self) -> None:
        """Take what comes, until told otherwise."""
        self.takes.set()

    def send(self, body: bytes, *, more: bool = True) -> None:
        """Send a piece of the body."""
        self.sent.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        """Hang up."""
        self.sent.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        """Give the service what was sent."""
        message = await self.sent.get()
        self.read += 1
        return message

    async def take(self, message: Message) -> None:
        """Take what the service sends, as fast as this client does."""
        await self.takes.wait()
        self.got.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.leave()

    @property
    def lines(self) -> list[bytes]:
        """What was answered so far."""
        return b"".join(each.get("body", b"") for each in self.got).splitlines()

    @property
    def ended(self) -> bool:
        """Whether the answer is whole."""
        last = self.got[-1] if self.got else {}
        return last.get("type") == "http.response.body" and not last.get("more_body")


@asynccontextmanager
async def streaming(clerk: Clerk) -> AsyncIterator[tuple[Client, asyncio.Task[None]]]:
    """Serve a client."""
    client = Client()
    serving = asyncio.create_task(Stream(clerk, LIMITS)({}, client.receive, client.take))
    try:
        yield client, serving
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError, DeadlineExceeded):
            await serving


async def echo(line: Line) -> bytes:
    """Answer at once."""
    return b"%d %s\n" % (line.number, line.content)


async def settled() -> None:
    """Let everything go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_lines_are_answered_in_order() -> None:
    """However long each of them takes."""

    async def later_is_faster(line: Line) -> bytes:
        await asyncio.sleep(0.02 / line.number)
        return await echo(line)

    async with streaming(later_is_faster) as (client, serving):
        client.send(b"".join(b"line\n" for _ in range(100)), more=False)
        await serving

    assert client.lines == [b"%d line" % number for number in range(1, 101)]
    assert client.ended


async def test_answer_comes_before_the_next_line_is_sent() -> None:
    """A client may wait for each answer."""
    async with streaming(echo) as (client, serving):
        for number in range(1, 4):
            client.send(b"line\n")
            await settled()
            assert client.lines[-1] == b"%d line" % number
        client.send(b"", more=False)
        await serving

    assert client.ended


async def test_body_without_a_line_is_answered_by_none() -> None:
    """Nothing in, nothing out."""
    async with streaming(echo) as (client, serving):
        client.send(b"\n \r\n", more=False)
        await serving

    assert [message["type"] for message in client.got] == [
        "http.response.start",
        "http.response.body",
    ]
    assert client.lines == []


async def test_no_more_than_a_window_is_in_flight() -> None:
    """However much is sent, and in however large pieces."""
    running, most = 0, 0

    async def watched(line: Line) -> bytes:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return await echo(line)

    async with streaming(watched) as (client, serving):
        client.send(b"x\n" * 500, more=False)
        await serving

    assert len(client.lines) == 500
    assert WINDOW <= most <= WINDOW + 2


async def test_reading_stops_while_the_client_takes_nothing() -> None:
    """Back-pressure reaches the sender; what waits is a window, not what was sent."""
    async with streaming(echo) as (client, serving):
        client.send(b"x\n")
        await settled()
        client.takes.clear()
        for _ in range(1000):
            client.send(b"x\n")
        await settled()
        read = client.read
        assert read <= 3 * WINDOW

        client.takes.set()
        client.send(b"", more=False)
        await serving

    assert len(client.lines) == 1001


async def test_who_leaves_is_not_worked_for() -> None:
    """What is in flight is cancelled."""
    cancelled = 0

    async def endless(_: Line) -> bytes:
        nonlocal cancelled
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled += 1
            raise
        return b""

    async with streaming(endless) as (client, serving):
        client.send(b"x\n" * 5)
        await settled()
        client.leave()
        await asyncio.wait_for(serving, 1)

    assert cancelled == 5
    assert not client.ended


async def test_who_sends_nothing_at_all_is_told() -> None:
    """No answer has begun, so that it can be 504."""
    async with streaming(echo) as (client, serving):
        with pytest.raises(DeadlineExceeded):
            await asyncio.wait_for(serving, 1)

    assert client.got == []


async def test_who_stops_sending_is_told_in_the_last_line() -> None:
    """What was sent is answered, and the answer ends."""
    async with streaming(echo) as (client, serving):
        client.send(b"x\n")
        await asyncio.wait_for(serving, 1)

    assert client.lines[0] == b"1 x"
    last = json.loads(client.lines[1])
    assert (last["code"], last["line"]) == ("deadline_exceeded", 2)
    assert client.ended


async def test_who_takes_nothing_is_left() -> None:
    """There is nobody to tell: the connection is closed in the middle."""
    async with streaming(echo) as (client, serving):
        client.send(b"x\n")
        await settled()
        client.takes.clear()
        client.send(b"x\n" * 100)
        await asyncio.wait_for(serving, 1)

    assert not client.ended


async def test_slow_answer_is_not_idleness() -> None:
    """The client owes nothing while it is owed something."""

    async def slow(line: Line) -> bytes:
        await asyncio.sleep(2 * LIMITS.idle_seconds)
        return await echo(line)

    async with streaming(slow) as (client, serving):
        client.send(b"x\n")
        await asyncio.sleep(2.5 * LIMITS.idle_seconds)
        client.send(b"y\n", more=False)
        await asyncio.wait_for(serving, 2)

    assert client.lines == [b"1 x", b"2 y"]
