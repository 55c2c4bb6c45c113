import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks.load import Generator
from benchmarks.traffic import BROKEN, LEFT, UNANSWERED, Plan, Question, Traffic, quantile
from benchmarks.wire import parsed

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nserver-timing: infer;dur=1\r\n\r\n{}"
FULL = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\ncontent-length: 0\r\n\r\n"
HELLO = [Question(f"text {number}", "en") for number in range(1000)]


@asynccontextmanager
async def other_side(answer: Answer) -> AsyncIterator[str]:
    """Answer each request on a connection with `answer`; yields the address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not reader.at_eof():
                await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def body(reader: asyncio.StreamReader) -> bytes:
    """Read one request and return its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    return await reader.readexactly(length)


def answering(reply: bytes, after: float = 0.0, seen: list[bytes] | None = None) -> Answer:
    """Return an answerer that remembers the bodies it was sent."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = await body(reader)
        if seen is not None:
            seen.append(received)
        await asyncio.sleep(after)
        writer.write(reply)

    return answer


async def traffic(answer: Answer, count: int = 1000, **plan: float) -> Traffic:
    """Carry out a plan against an answerer."""
    async with other_side(answer) as url:
        return await Generator(Plan(url, **plan), HELLO[:count]).run()  # type: ignore[arg-type]


async def test_closed_loop_asks_each_question_once() -> None:
    """No text is sent twice, and the answer's head is kept."""
    seen: list[bytes] = []

    done = await traffic(answering(OK, seen=seen), count=40, seconds=5, clients=4)

    assert sorted(seen) == sorted(question.body for question in HELLO[:40])
    assert sorted(record.index for record in done.records) == list(range(40))
    assert done.outcomes == {"200": 40}
    assert done.records[0].server_timing == "infer;dur=1"


async def test_closed_loop_ends_in_time() -> None:
    """Clients stop asking when the seconds are over."""
    done = await traffic(answering(OK, after=0.05), seconds=0.3, clients=2)

    assert 4 <= len(done.records) <= 14
    assert all(record.sent <= done.ended for record in done.records)


async def test_open_loop_does_not_wait_for_slow_answers() -> None:
    """Requests go out when they are due, and latency counts from there."""
    done = await traffic(answering(OK, after=0.4), seconds=0.4, rate=100)

    assert len(done.records) > 15
    assert min(record.latency for record in done.records) >= 0.4
    assert max(record.sent - record.due for record in done.records) < 0.2


async def test_refusals_are_kept_with_their_advice() -> None:
    """Status and Retry-After of a refusal are recorded; it is no answer."""
    done = await traffic(answering(FULL), count=5, seconds=5, clients=1)

    assert done.outcomes == {"429": 5}
    assert {record.retry_after for record in done.records} == {"3"}
    assert done.throughput() == 0


async def test_clients_that_leave_are_told_apart() -> None:
    """Who hangs up has left; a server that hangs up has broken the connection."""

    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await body(reader)
        writer.close()

    slow = answering(OK, after=1)
    left = await traffic(slow, count=4, seconds=3, clients=4, leaving=1.0, leaving_within=0.05)
    broken = await traffic(hangs_up, count=3, seconds=3, clients=1)

    assert {record.status for record in left.records} == {LEFT}
    assert {record.status for record in broken.records} == {BROKEN}


async def test_what_never_comes_is_not_waited_for() -> None:
    """After the grace period a request counts as unanswered."""
    done = await traffic(answering(OK, after=30), count=3, seconds=0.1, clients=3, grace=0.1)

    assert {record.status for record in done.records} == {UNANSWERED}


async def test_records_survive_the_way_between_processes() -> None:
    """What one process writes the other reads."""
    done = await traffic(answering(OK), count=3, seconds=5, clients=1)

    assert Traffic.from_json(done.to_json()) == done


@pytest.mark.parametrize("cut", range(1, len(OK)))
def test_half_an_answer_is_none(cut: int) -> None:
    """Only a whole answer counts, wherever the network cuts it."""
    assert parsed(bytearray(OK[:cut])) is None


def test_quantile_is_a_value_that_was_there() -> None:
    """The 99th percentile of a hundred is the second highest."""
    assert quantile(list(range(1, 101)), 0.99) == 99
    assert quantile([5.0], 0.5) == 5
