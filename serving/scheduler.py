"""One fair scheduler over the queues of all models."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from models.artifact import Model
from models.identity import Tag
from models.labels import Scores
from serving.batch import Limits, Reason
from serving.call import Urgency
from serving.compute import Broken, computed
from serving.queue import WEIGHTS, Batch, Job, Queue

LATELY = 0.2
"""Weight of the newest batch in a queue's pace."""

Hold = Callable[[Model], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Ran:
    """One engine run: its texts, tokens and core seconds, and why it had no more texts."""

    tag: Tag
    urgency: Urgency
    texts: int
    tokens: int
    padding: int
    seconds: float
    reason: Reason


class Scheduler:
    """Runs batches: when a lane is free at once, else texts accumulate.

    A lane is a core. Where there is work for several, each runs a batch of its own; a batch that
    is all there is takes all of them.

    1. Every text gets exactly one outcome.
    2. Of the queues that have work, the one that has had the least of the engine goes next, so
       that none starves, however full another is; what was idle gets no credit for it.
    3. Interactive texts have ten times the share of bulk ones.
    """

    def __init__(self, lanes: int, limits: Limits, hold: Hold, note: Callable[[Ran], None]) -> None:
        """Start `lanes` threads, each of which runs one batch at a time.

        `hold` keeps a model open while it runs: who asked may leave before that ends.
        """
        self._hold = hold
        self._free = lanes
        self._lanes = lanes
        self._limits = limits
        self._note = note
        self._threads = ThreadPoolExecutor(lanes, thread_name_prefix="engine")
        self._queues: dict[tuple[Tag, Urgency], Queue] = {}
        self._now = 0.0
        self._ends: dict[asyncio.Task[None], tuple[float, int]] = {}
        self._waking = False
        self._pace = 0.0

    async def scores(self, tag: Tag, job: Job) -> Scores:
        """Let a text wait for its turn; raises EngineFailed or Overloaded."""
        queue = self._queue(tag, job.call.urgency)
        if not queue.jobs:
            queue.turn = max(queue.turn, self._now)
        queue.put(job)
        self._wake()
        return await job.answer

    def wait(self, tag: Tag, urgency: Urgency, tokens: int) -> float:
        """Return the seconds until such a text would be answered, if it came now; about."""
        queue = self._queue(tag, urgency)
        mine = (queue.tokens + tokens) * queue.pace
        busy = [other for other in self._queues.values() if other.jobs and other is not queue]
        rivals = sum(min(other.seconds, mine * other.weight / queue.weight) for other in busy)
        now = time.monotonic()
        running = sum(lanes * max(0.0, end - now) for end, lanes in self._ends.values())
        return (running + rivals + mine) / self._lanes

    def waiting(self, tag: Tag) -> int:
        """Return how many texts wait for this model's turn."""
        return sum(len(queue.jobs) for (of, _), queue in self._queues.items() if of == tag)

    def forget(self, tags: frozenset[Tag]) -> None:
        """Drop the empty queues of all models but these."""
        for key in [key for key, queue in self._queues.items() if not queue.jobs]:
            if key[0] not in tags:
                del self._queues[key]

    def close(self) -> None:
        """Stop the threads after the runs that are under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _queue(self, tag: Tag, urgency: Urgency) -> Queue:
        key = (tag, urgency)
        if key not in self._queues:
            self._queues[key] = Queue(WEIGHTS[urgency], pace=self._pace)
        return self._queues[key]

    def _wake(self) -> None:
        """Dispatch once all that is ready now has been put into its queue."""
        if not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._waking = False
        while self._free and (found := self._next()):
            self._start(*found)

    def _start(self, key: tuple[Tag, Urgency], queue: Queue, batch: Batch) -> None:
        others = any(other.jobs for other in self._queues.values())
        lanes = 1 if others or self._free < self._lanes else self._lanes
        self._free -= lanes
        self._now = queue.turn
        seconds = batch.padded * queue.pace
        queue.turn += seconds / queue.weight
        release = self._hold(batch.jobs[0].model)  # now: its askers hold it until they leave
        run = asyncio.get_running_loop().create_task(self._run(key, queue, batch, lanes))
        self._ends[run] = time.monotonic() + seconds / lanes, lanes
        run.add_done_callback(self._ends.pop)
        run.add_done_callback(lambda _: release())

    def _next(self) -> tuple[tuple[Tag, Urgency], Queue, Batch] | None:
        now = time.monotonic()
        busy = [(queue.turn, key) for key, queue in self._queues.items() if queue.jobs]
        for _, key in sorted(busy, key=lambda one: one[0]):
            queue = self._queues[key]
            if batch := queue.take(self._limits, now):
                return key, queue, batch
        return None

    async def _run(self, key: tuple[Tag, Urgency], queue: Queue, batch: Batch, lanes: int) -> None:
        started = time.monotonic()
        rows = [job.row for job in batch.jobs]
        outcomes: list[Scores | Broken] = [Broken("the service stops")] * len(rows)
        try:
            loop = asyncio.get_running_loop()
            with suppress(RuntimeError):  # the threads have been stopped
                run = partial(computed, batch.jobs[0].model, rows, alone=lanes == self._lanes)
                outcomes = await loop.run_in_executor(self._threads, run)
        finally:
            seconds = time.monotonic() - started
            self._free += lanes
            self._learn(queue, lanes * seconds / batch.padded)
            self._dispatch()  # first: the engine must not wait until the answers are written
            for job, outcome in zip(batch.jobs, outcomes, strict=True):
                job.call.took("queue", started - job.arrived)
                job.call.took("infer", seconds)
                job.settle(outcome)
        padding = batch.padded - batch.tokens
        self._note(Ran(*key, len(rows), batch.tokens, padding, lanes * seconds, batch.reason))

    def _learn(self, queue: Queue, pace: float) -> None:
        queue.pace += LATELY * (pace - queue.pace) if queue.pace else pace
        self._pace += LATELY * (pace - self._pace) if self._pace else pace
