"""One request on its way: how long it may take, how urgent it is, where its time went."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Stage = Literal["detect", "queue", "load", "infer"]


class Urgency(StrEnum):
    """Whether somebody waits for this answer, or for the last of many."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


@dataclass(slots=True)
class Call:
    """What one request says of itself beside its texts; its texts share it.

    `deadline` is a time of `time.monotonic()` after which nobody waits for the answer.
    """

    deadline: float = math.inf
    urgency: Urgency = Urgency.INTERACTIVE
    stages: dict[Stage, float] = field(default_factory=dict)
    """Seconds by stage; of texts that pass a stage side by side, the longest."""

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    def took(self, stage: Stage, seconds: float) -> None:
        """Note how long a text was in a stage."""
        self.stages[stage] = max(seconds, self.stages.get(stage, 0.0))

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Note how long the block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.took(stage, time.perf_counter() - started)
