"""The load generator: `python -m benchmarks.load ORDER TRAFFIC`, two JSON files.

A process of its own, so that its CPU time can be told from that of the service.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.traffic import BROKEN, LEFT, UNANSWERED, Plan, Question, Record, Traffic
from benchmarks.wire import Connection, Reply, post


class Generator:
    """Asks the questions in their order, each at most once."""

    def __init__(self, plan: Plan, questions: Sequence[Question]) -> None:
        """Prepare every request, so that sending one costs as little as can be."""
        address = urlsplit(plan.url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80
        self._plan = plan
        self._chance = random.Random(plan.seed)  # noqa: S311
        host = f"{self._host}:{self._port}"
        self._requests = [
            post(plan.path, host, dict(plan.headers), question.body) for question in questions
        ]
        self._idle: list[Connection] = []
        self._asked: dict[int, tuple[float, float]] = {}
        self._records: list[Record] = []

    async def run(self) -> Traffic:
        """Carry out the plan."""
        cpu = time.process_time()
        began = time.monotonic()
        if self._plan.clients:
            tasks = self._closed(began)
        else:
            tasks = await self._open(began)
        if tasks:
            left = began + self._plan.seconds + self._plan.grace - time.monotonic()
            _, late = await asyncio.wait(tasks, timeout=max(left, 0.1))
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        ended = began + self._plan.seconds
        if len(self._asked) == len(self._requests):  # the questions ran out
            ended = min(ended, max((sent for _, sent in self._asked.values()), default=began))
        return Traffic(began, ended, time.process_time() - cpu, self._records)

    def _closed(self, began: float) -> set[asyncio.Task[None]]:
        indices = iter(range(len(self._requests)))
        end = began + self._plan.seconds
        return {asyncio.create_task(self._client(indices, end)) for _ in range(self._plan.clients)}

    async def _client(self, indices: Iterator[int], end: float) -> None:
        while (now := time.monotonic()) < end and (index := next(indices, None)) is not None:
            await self._ask(index, now)

    async def _open(self, began: float) -> set[asyncio.Task[None]]:
        under_way: set[asyncio.Task[None]] = set()
        due = began
        for index in range(len(self._requests)):
            due += self._chance.expovariate(self._plan.rate)
            if due > began + self._plan.seconds:
                break
            await asyncio.sleep(max(due - time.monotonic(), 0))
            task = asyncio.create_task(self._ask(index, due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        return under_way

    async def _ask(self, index: int, due: float) -> None:
        self._asked[index] = due, time.monotonic()
        leaves = self._chance.random() < self._plan.leaving
        status, retry_after, timing = BROKEN, None, None
        try:
            connection = await self._connection()
            reply = connection.ask(self._requests[index])
            if leaves:
                wait = self._chance.random() * self._plan.leaving_within
                asyncio.get_running_loop().call_later(wait, _leave, connection, reply)
            answer = await reply
            status, retry_after = answer.status, answer.retry_after
            timing = answer.server_timing
            if connection.open:
                self._idle.append(connection)
        except OSError:
            status = LEFT if leaves else BROKEN
        except asyncio.CancelledError:
            status = UNANSWERED
        sent = self._asked[index][1]
        done = time.monotonic()
        self._records.append(Record(index, due, sent, done, status, retry_after, timing))

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(Connection, self._host, self._port)
        return made


def _leave(connection: Connection, reply: asyncio.Future[Reply]) -> None:
    if not reply.done():  # else the connection may be someone else's by now
        connection.hang_up()


def main() -> None:
    """Read, ask, write."""
    asked, answered = map(Path, sys.argv[1:])
    order = json.loads(asked.read_bytes())
    questions = [Question(*row) for row in order["questions"]]
    generator = Generator(Plan(**order["plan"]), questions)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        traffic = runner.run(generator.run())
    answered.write_text(traffic.to_json(), "utf-8")


def _loop_factory() -> type[asyncio.AbstractEventLoop]:
    import uvloop  # noqa: PLC0415  (tests drive a Generator on the loop they have)

    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop


if __name__ == "__main__":
    main()
