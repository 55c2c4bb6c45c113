"""Tokens to scores: the model is held open, its queue is bounded, doomed work is refused."""

import asyncio
import time
from collections import Counter

from models.artifact import Model
from models.errors import Overloaded
from models.identity import Tag
from models.labels import Scores
from models.residency import Residency
from serving.call import Call, Urgency
from serving.queue import Job
from serving.scheduler import Scheduler

MARGIN = 2.0
"""An answer counts as late where this many times the expected wait is beyond its deadline.

Texts that are nearest in length to the oldest one overtake others: where four or five go together
a text may wait 1.9 times as long as in order of arrival.
"""


class Runners:
    """One bounded queue a model and urgency, in front of one scheduler.

    1. More texts than the limit are refused with Overloaded, those that wait for a load included.
    2. What could not be answered before its deadline is refused at once, not after waiting.
    """

    def __init__(
        self, residency: Residency[Tag, Model], scheduler: Scheduler, queue_limit: int
    ) -> None:
        """Take what opens the models and what runs them."""
        self._residency = residency
        self._scheduler = scheduler
        self._limit = queue_limit
        self._admitted: Counter[tuple[Tag, Urgency]] = Counter()

    async def __call__(self, tag: Tag, row: list[int], call: Call) -> Scores:
        """Answer one text, given as token ids.

        Raises Overloaded, ModelUnavailable or EngineFailed.
        """
        place = (tag, call.urgency)
        self._refuse_in_vain(place, row, call)
        self._admitted[place] += 1
        try:
            cold = self._residency.state(tag) != "resident"
            asked = time.monotonic()
            async with self._residency.lease(tag, call.deadline) as model:
                if cold:
                    call.took("load", time.monotonic() - asked)
                job = Job(row, model, call, asyncio.get_running_loop().create_future())
                return await self._scheduler.scores(tag, job)
        finally:
            self._admitted[place] -= 1
            if not self._admitted[place]:
                del self._admitted[place]

    def _refuse_in_vain(self, place: tuple[Tag, Urgency], row: list[int], call: Call) -> None:
        wait = MARGIN * self._scheduler.wait(*place, len(row))
        if self._admitted[place] >= self._limit:
            message = f"{self._admitted[place]} texts wait for {place[0].model}"
            raise Overloaded(message, retry_after=max(1.0, wait))
        if wait > call.left:
            message = f"an answer would take {wait:.1f} s, the request has {call.left:.1f} s left"
            raise Overloaded(message, retry_after=max(1.0, wait - call.left))
