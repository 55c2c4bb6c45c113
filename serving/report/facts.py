"""What is known of a model, in figures, when somebody asks why."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from serving.report.inventory import MemoryBudget, ServedModel
from serving.result import State

Seconds = Annotated[float, Field(ge=0)]


class Eviction(BaseModel):
    """Where an open model stands among all that may be closed to make room."""

    place: Annotated[
        int | None, Field(description="1 goes first; null while it is pinned or guarded.")
    ]
    of: Annotated[int, Field(description="Things that may be closed now.")]
    guard_seconds: Annotated[
        Seconds, Field(description="For so long it stays because it was opened only just before.")
    ]


class Failure(BaseModel):
    """Why it can't be opened, how often that failed in a row, and when it may be tried again."""

    why: str
    times: int
    seconds: Seconds


class Cost(BaseModel):
    """What one short text would cost if it came now."""

    queue_seconds: Annotated[Seconds, Field(description="Wait for the engine, and its run.")]
    load_seconds: Annotated[
        Seconds | None,
        Field(
            description="Time to open the model: as the last time, else as the others took; "
            "null where nothing was opened yet."
        ),
    ]
    tokenizer: Annotated[
        State | None, Field(description="Of the tokenizer; null where the model's files are bad.")
    ]
    bytes: Annotated[
        int | None, Field(description="What it takes of the budget; null where its files are bad.")
    ]
    room_seconds: Annotated[
        Seconds | None, Field(description="Time until there is room; null where that is unknown.")
    ]
    closes: Annotated[list[str], Field(description="What would be closed to make room.")]


class Facts(BaseModel):
    """All of it."""

    model: ServedModel
    memory: MemoryBudget
    opened_seconds: Annotated[Seconds | None, Field(description="Since it was opened.")]
    used_seconds: Annotated[Seconds | None, Field(description="Since its last use.")]
    closed_seconds: Annotated[Seconds | None, Field(description="Since it was last closed.")]
    closed_for: Annotated[
        Literal["budget", "asked", "retired", ""],
        Field(description="Why it was: to make room, as asked, or because it was replaced."),
    ]
    eviction: Annotated[Eviction | None, Field(description="Null while it is not open.")]
    failure: Annotated[Failure | None, Field(description="Null unless it is quarantined.")]
    cost: Cost

    @property
    def fits(self) -> bool:
        """Whether the budget could ever take it, as things are pinned now."""
        return (
            self.model.state == "resident"
            or (self.cost.bytes or 0) <= self.memory.limit - self.memory.pinned
        )


class Explanation(Facts):
    """The figures, and what they mean."""

    why: Annotated[list[str], Field(description="Why it is in memory or not, in sentences.")]
    request: Annotated[list[str], Field(description="What a text would cost now, in sentences.")]
