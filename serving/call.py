"""One request on its way: how long it may take, how urgent it is, where its time went."""

import math
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, cast

from models.identity import ModelId
from serving.caller import ANYONE, Caller

CALL = "polysent.call"
"""Where a request's Call stands in its ASGI scope."""

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
    request_id: str = ""
    """What caller and log call the request."""
    traceparent: str | None = None
    """The span of this request in the caller's trace (W3C Trace Context)."""
    key: str = ""
    """What decides between champion and challenger; the text itself where the caller says none."""
    version: int | None = None
    """The version that must answer, where the caller names one."""
    caller: Caller = ANYONE
    """Who asks."""
    models: set[ModelId] = field(default_factory=set)
    """The models that its texts were routed to."""

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


def call_of(scope: MutableMapping[str, Any]) -> Call:
    """Return the Call that the Edge has put into a scope."""
    return cast("Call", scope[CALL])
