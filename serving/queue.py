"""What waits for one model: texts of one urgency, oldest first."""

import asyncio
import time
from dataclasses import dataclass, field

from models.artifact import Model
from models.errors import Overloaded
from models.labels import Scores
from serving.batch import Limits, Reason, cut
from serving.call import Call, Urgency
from serving.compute import Broken

WEIGHTS = {Urgency.INTERACTIVE: 1.0, Urgency.BULK: 0.1}
"""Shares of the engine between queues that all have work."""


@dataclass(slots=True, eq=False)
class Job:
    """A text that waits for its answer, with the model that its caller holds open."""

    row: list[int]
    model: Model
    call: Call
    answer: asyncio.Future[Scores]
    arrived: float = field(default_factory=time.monotonic)

    def settle(self, outcome: Scores | Broken | Overloaded) -> None:
        """Give the one answer; a caller who has left is not told."""
        if self.answer.done():
            return
        if isinstance(outcome, dict):
            self.answer.set_result(outcome)
        else:
            self.answer.set_exception(outcome.error() if isinstance(outcome, Broken) else outcome)


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts that go into one engine together."""

    jobs: tuple[Job, ...]
    reason: Reason

    @property
    def tokens(self) -> int:
        """Tokens of the texts, without padding."""
        return sum(len(job.row) for job in self.jobs)

    @property
    def padded(self) -> int:
        """Tokens that the engine computes."""
        return len(self.jobs) * max(len(job.row) for job in self.jobs)


@dataclass(slots=True, eq=False)
class Queue:
    """Texts of one model and one urgency that wait for the engine.

    `pace` is the core seconds that the engine took for a token, lately; `turn` is the queue's place
    in the fair order: the engine time that it has had, by its weight.
    """

    weight: float
    pace: float = 0.0
    turn: float = 0.0
    jobs: list[Job] = field(default_factory=list)
    tokens: int = 0

    @property
    def seconds(self) -> float:
        """Engine time that what waits will take, about."""
        return self.tokens * self.pace

    def put(self, job: Job) -> None:
        """Let one more wait."""
        self.jobs.append(job)
        self.tokens += len(job.row)

    def take(self, limits: Limits, now: float) -> Batch | None:
        """Take the next batch out; None where nobody waits any more.

        Who has left is dropped, and who can't be answered in time is refused.
        """
        self._drop(now + min(self.tokens, limits.tokens) * self.pace)
        if not self.jobs:
            return None
        together = [job for job in self.jobs if job.model is self.jobs[0].model]
        chosen = cut([len(job.row) for job in together], limits)
        batch = Batch(tuple(together[index] for index in chosen.chosen), chosen.reason)
        taken = set(map(id, batch.jobs))
        self._keep([job for job in self.jobs if id(job) not in taken])
        return batch

    def _drop(self, answered: float) -> None:
        """Refuse who would be `answered` too late by the next batch, and forget who has left."""
        for job in self.jobs:
            if answered > job.call.deadline:
                message = "it waited too long to be answered in time"
                job.settle(Overloaded(message, retry_after=max(1.0, self.seconds)))
        self._keep([job for job in self.jobs if not job.answer.done()])

    def _keep(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        self.tokens = sum(len(job.row) for job in jobs)
