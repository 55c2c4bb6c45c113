"""Model to scores: one queue per model, batches cut by tokens."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from models.artifact import Artifact
from models.errors import EngineFailed, Overloaded
from models.identity import Tag
from models.labels import Scores
from models.residency import Residency
from serving.call import Call

_LOG = logging.getLogger(__name__)

INLINE_CHARS = 2_000
"""Longest text whose tokens are made on the event loop, in under a millisecond."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one queue takes (texts) and one engine run (tokens, padding included)."""

    queue: int
    tokens: int


@dataclass(slots=True, eq=False)
class Job:
    """A text that waits for its answer."""

    row: list[int]
    answer: asyncio.Future[Scores]

    def settle(self, outcome: Scores | Exception) -> None:
        """Give the one answer; a caller who has left is not told."""
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class EngineSlot:
    """The cores: one engine run at a time, models take turns in the order they asked."""

    def __init__(self) -> None:
        """Start one worker thread."""
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")

    async def run(self, artifact: Artifact, jobs: Sequence[Job]) -> None:
        """Run one batch and settle each of its jobs; where it fails, each text on its own."""
        try:
            outcomes = await self._outcomes(artifact, jobs)
        except Exception as error:  # noqa: BLE001  (whatever an engine raises)
            if len(jobs) > 1:
                for job in jobs:
                    await self.run(artifact, [job])
                return
            _LOG.warning("%s failed on a text", artifact.manifest.language, exc_info=error)
            outcomes = [EngineFailed(f"{type(error).__name__} in the engine")]
        except asyncio.CancelledError:
            for job in jobs:
                job.settle(EngineFailed("the service stops"))
            raise
        for job, outcome in zip(jobs, outcomes, strict=True):
            job.settle(outcome)

    async def _outcomes(
        self, artifact: Artifact, jobs: Sequence[Job]
    ) -> Sequence[Scores | EngineFailed]:
        loop = asyncio.get_running_loop()
        rows = [job.row for job in jobs]
        answers = await loop.run_in_executor(self._thread, artifact.scores, rows)
        if len(answers) != len(jobs):
            message = f"{len(jobs)} texts in, {len(answers)} rows out"
            raise ValueError(message)
        return [
            answer if all(map(math.isfinite, answer.values())) else EngineFailed("not a number")
            for answer in answers
        ]

    async def __aenter__(self) -> None:
        """Wait for the turn."""
        await self._turn.acquire()

    async def __aexit__(self, *_: object) -> None:
        """Let the next model have its turn."""
        self._turn.release()

    def close(self) -> None:
        """Stop the worker thread after the run that is under way."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class Runner:
    """One model: dispatches when the slot is free, else accumulates.

    1. Every text gets exactly one outcome.
    2. Who has left is not computed.
    3. More waiting texts than the limit are refused with Overloaded.
    """

    def __init__(self, tag: Tag, residency: Residency, slot: EngineSlot, limits: Limits) -> None:
        """Take the model's tag; it is opened by the first text."""
        self._tag = tag
        self._residency = residency
        self._slot = slot
        self._limits = limits
        self._jobs: deque[Job] = deque()
        self._admitted = 0
        self._draining: asyncio.Task[None] | None = None

    async def scores(self, row: list[int]) -> Scores:
        """Answer one text, given as token ids.

        Raises Overloaded, ModelUnavailable or EngineFailed.
        """
        if self._admitted >= self._limits.queue:
            message = f"{self._admitted} texts wait for {self._tag.model}"
            raise Overloaded(message)
        self._admitted += 1
        try:
            async with self._residency.lease(self._tag):
                job = Job(row, asyncio.get_running_loop().create_future())
                self._jobs.append(job)
                self._wake()
                return await job.answer
        finally:
            self._admitted -= 1

    def _wake(self) -> None:
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        async with self._residency.lease(self._tag) as artifact:
            while self._jobs:
                async with self._slot:
                    if jobs := self._take():
                        await self._slot.run(artifact, jobs)

    def _take(self) -> list[Job]:
        jobs: list[Job] = []
        longest = 0
        while self._jobs:
            if self._jobs[0].answer.done():
                self._jobs.popleft()
                continue
            longest = max(longest, len(self._jobs[0].row))
            if jobs and longest * (len(jobs) + 1) > self._limits.tokens:
                break
            jobs.append(self._jobs.popleft())
        return jobs


class Runners:
    """A runner for each model that was asked for."""

    def __init__(self, residency: Residency, limits: Limits) -> None:
        """Share the residency and one engine slot among all models."""
        self._residency = residency
        self._limits = limits
        self._slot = EngineSlot()
        self._runners: dict[Tag, Runner] = {}

    async def encode(self, tag: Tag, text: str, call: Call) -> list[int]:
        """Return a text's token ids."""
        with call.stage("load"):
            async with self._residency.lease(tag) as artifact:
                if len(text) <= INLINE_CHARS:
                    [row] = artifact.encode([text])
                else:
                    [row] = await asyncio.to_thread(artifact.encode, [text])
                return row

    async def scores(self, tag: Tag, row: list[int], call: Call) -> Scores:
        """Answer one text with one model; errors as Runner.scores."""
        del call
        if tag not in self._runners:
            self._runners[tag] = Runner(tag, self._residency, self._slot, self._limits)
        return await self._runners[tag].scores(row)

    def close(self) -> None:
        """Stop the engine's thread."""
        self._slot.close()
