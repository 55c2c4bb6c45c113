import asyncio
import logging
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import ValidationError
from redis import Redis as Client

from models.identity import ModelId, Tag
from models.labels import Scores
from models.settings import Settings
from serving.cache import Cached, Found, Memory
from serving.call import Call
from serving.redis_shelf import LONGEST_SECONDS, PAUSE_SECONDS, PREFIX, Redis
from serving.tiered import Tiered
from tests.fakes import Clock
from tests.redis_server import redis_server

TAG = Tag(ModelId("en", 1), "00000001")
GOOD: Scores = {"positive": 1 / 3, "negative": 2 / 3}
KEY = b"sentiment-en:v000001-00000001 \x01\x00\x00\x00\xff\n"


@pytest.fixture
def port() -> int:
    """Return a port that no one listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Return the process of a real Redis."""
    with redis_server(tmp_path, port) as process:
        yield process


@pytest.fixture
def client(server: "subprocess.Popen[bytes]", port: int) -> Iterator["Client"]:
    """Return a look into it from outside."""
    del server
    with Client(port=port) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the pauses."""
    return Clock()


@pytest.fixture
async def shelf(server: "subprocess.Popen[bytes]", port: int, clock: Clock) -> AsyncIterator[Redis]:
    """Return a shelf in that Redis."""
    del server
    shelf = Redis(f"redis://127.0.0.1:{port}/0", clock)
    yield shelf
    await shelf.close()


@dataclass
class Replica:
    """One service: an engine that counts, behind two tiers."""

    shelf: Redis
    found: list[Found] = field(default_factory=list)
    computed: int = 0

    def __post_init__(self) -> None:
        """Put the cache together."""
        self.ask = Cached(self._score, Tiered(Memory(100_000), self.shelf), self.found.append)

    async def _score(self, tag: Tag, row: list[int], call: Call) -> Scores:
        del tag, row, call
        self.computed += 1
        return GOOD


async def test_replicas_share_their_answers(shelf: Redis, port: int) -> None:
    """What one has computed, to the last bit, the other knows."""
    other = Redis(f"redis://127.0.0.1:{port}/0")
    one, two = Replica(shelf), Replica(other)
    await one.ask(TAG, [1, 2], Call())
    await asyncio.sleep(0.05)

    assert await two.ask(TAG, [1, 2], Call()) == GOOD
    assert (one.computed, two.computed, two.found) == (1, 0, ["hit"])
    await other.close()


async def test_key_is_exact_and_kept_for_a_day(shelf: Redis, client: Client) -> None:
    """The bytes of the key behind our prefix, nothing else."""
    await shelf.put(KEY, GOOD)

    assert client.keys() == [PREFIX + KEY]
    assert (
        client.get(PREFIX + KEY) == b'{"positive":0.3333333333333333,"negative":0.6666666666666666}'
    )
    assert 86_000 < int(str(client.ttl(PREFIX + KEY))) <= 86_400
    assert await shelf.get(KEY + b"\x00") is None


@pytest.mark.parametrize(
    "wrong",
    [
        *(b"", b"{", b"null", b"[]", b"{}", b"5", b"\xff\xfe", b'{"positive":NaN}'),
        *(b'{"positive":2}', b'{"happy":1.0}', b'{"positive":"very"}', b"[" * 10_000),
    ],
)
async def test_wrong_data_is_a_miss(shelf: Redis, client: Client, wrong: bytes) -> None:
    """Broken JSON, another's form, a number that is no probability."""
    client.set(PREFIX + KEY, wrong)
    assert await shelf.get(KEY) is None

    await shelf.put(KEY, GOOD)
    assert await shelf.get(KEY) == GOOD


async def test_what_redis_refuses_is_a_miss_of_this_key_alone(shelf: Redis, client: Client) -> None:
    """The others are still answered, without a pause."""
    client.hset(PREFIX + KEY, "a", "b")
    assert await shelf.get(KEY) is None

    await shelf.put(b"other", GOOD)
    assert await shelf.get(b"other") == GOOD


async def test_killed_redis_stops_nobody(
    shelf: Redis, server: "subprocess.Popen[bytes]", caplog: pytest.LogCaptureFixture
) -> None:
    """Answers go on, each text is computed by who asks, and the log says it once."""
    replica = Replica(shelf)
    with caplog.at_level(logging.WARNING):
        for row in range(20):
            if row == 10:
                server.kill()
                server.wait()
            assert await replica.ask(TAG, [row], Call()) == GOOD
    assert replica.computed == 20
    assert [record.getMessage().count("fails") for record in caplog.records] == [1]


async def test_dead_redis_that_is_back_is_used_again(
    shelf: Redis, server: "subprocess.Popen[bytes]", port: int, tmp_path: Path, clock: Clock
) -> None:
    """After the pause, and not before."""
    server.kill()
    server.wait()
    await shelf.put(KEY, GOOD)

    with redis_server(tmp_path, port):
        await shelf.put(KEY, GOOD)
        assert await shelf.get(KEY) is None
        clock.now += PAUSE_SECONDS
        await shelf.put(KEY, GOOD)
        assert await shelf.get(KEY) == GOOD


async def test_stuck_redis_costs_one_request_a_moment(
    shelf: Redis, server: "subprocess.Popen[bytes]", clock: Clock
) -> None:
    """Then nobody asks; after the pause one asks for all, and gets its own answer."""
    await shelf.put(KEY, GOOD)
    server.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    assert await shelf.get(KEY) is None
    assert time.monotonic() - started < 4 * LONGEST_SECONDS

    for _ in range(2):
        started = time.monotonic()
        assert [await shelf.get(KEY) for _ in range(100)] == [None] * 100
        assert time.monotonic() - started < 4 * LONGEST_SECONDS
        clock.now += PAUSE_SECONDS

    server.send_signal(signal.SIGCONT)
    assert await shelf.get(KEY) == GOOD


async def test_request_that_is_given_up_leaves_no_answer_for_another(
    shelf: Redis, clock: Clock
) -> None:
    """A connection whose reply was not read is not used again; a slow machine makes misses."""
    keys: dict[bytes, Scores] = {
        str(number).encode(): {"positive": number / 100} for number in range(50)
    }
    for key, scores in keys.items():
        await shelf.put(key, scores)
    found = 0
    for steps in range(40):
        clock.now += PAUSE_SECONDS
        given_up = [asyncio.create_task(shelf.get(key)) for key in keys]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        answers = await asyncio.gather(*(shelf.get(key) for key in keys))
        for answer, scores in zip(answers, keys.values(), strict=True):
            assert answer in (None, scores)
            found += answer is not None
        await asyncio.gather(*given_up, return_exceptions=True)
    assert found


@pytest.mark.parametrize("url", ["http://host", "host:6379", "redis://"])
def test_address_of_something_else_is_refused(url: str) -> None:
    """At the start."""
    with pytest.raises(ValidationError):
        Settings(cache_url=url)


def test_password_of_redis_is_not_printed() -> None:
    """Settings end up in logs."""
    assert "geheim" not in repr(Settings(cache_url="redis://user:geheim@host:6379/0"))
