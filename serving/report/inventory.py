"""What is served and what it holds now, read from the running parts; nothing is changed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, Field

from models.identity import Tag
from models.routes import Route
from serving.result import ModelAnswer, State

if TYPE_CHECKING:
    from serving.assemble import Runtime


class Challenger(BaseModel):
    """The other version that takes part in answering a language."""

    model: ModelAnswer
    tag: str
    state: State
    bytes: Annotated[int, Field(description="Held of the memory budget.")]
    hits: Annotated[int, Field(description="Texts that it answered, copies included.")]
    share: Annotated[float, Field(ge=0, le=1, description="Part of the requests it answers.")]
    shadow: Annotated[bool, Field(description="Runs on copies of the others, for comparison.")]


class PendingSwap(BaseModel):
    """A version that the routes want, and that does not take part yet."""

    model: ModelAnswer
    tag: str
    why: str


class ServedModel(BaseModel):
    """One language's model as it is now."""

    language: Annotated[str, Field(examples=["de"])]
    model: ModelAnswer
    tag: Annotated[str, Field(description="Its name in the model store.")]
    covers: Annotated[
        list[str], Field(description="Languages that a multilingual model is meant for.")
    ]
    state: State
    bytes: Annotated[
        int, Field(description="Held of the memory budget: reserved at first, then as measured.")
    ]
    load_seconds: Annotated[float | None, Field(description="Time that its last load took.")]
    last_used: Annotated[datetime | None, Field(description="RFC 3339, UTC.")]
    hits: Annotated[int, Field(description="Texts that it answered; the cache's are not counted.")]
    loads: Annotated[int, Field(description="Times that it was opened.")]
    evictions: Annotated[int, Field(description="Times that it was closed.")]
    waiting: Annotated[int, Field(description="Texts that wait for the engine.")]
    pinned: Annotated[bool, Field(description="Kept open, whatever else needs room.")]
    challenger: Annotated[
        Challenger | None, Field(description="Null where one version answers all.")
    ] = None
    swap: Annotated[
        PendingSwap | None, Field(description="Null where all is as the routes want it.")
    ] = None

    @classmethod
    def of(cls, runtime: "Runtime", tag: Tag) -> Self:
        """Read what is so of a champion."""
        language = tag.model.language
        residency, known = runtime.residency, runtime.residency.history(tag)
        holding = residency.holding(tag)
        route = runtime.router.routes.get(language)
        return cls(
            language=language,
            model=_model(tag),
            tag=str(tag),
            covers=list(route.covers) if route else [],
            state=residency.state(tag),
            bytes=holding.nbytes if holding else 0,
            load_seconds=known.load_seconds if known.loads else None,
            last_used=datetime.fromtimestamp(known.used, UTC) if known.used else None,
            hits=known.hits,
            loads=known.loads,
            evictions=known.evictions,
            waiting=runtime.scheduler.waiting(tag),
            pinned=language in runtime.keeper.pinned,
            challenger=_challenger(runtime, route) if route else None,
            swap=_swap(runtime, language),
        )


class MemoryBudget(BaseModel):
    """Bytes that open models and tokenizers may hold together, and do."""

    limit: int
    used: int
    pinned: int

    @classmethod
    def of(cls, runtime: "Runtime") -> Self:
        """Read what is so now."""
        budget = runtime.budget
        return cls(limit=budget.limit, used=budget.used, pinned=budget.pinned)


class ServedModels(BaseModel):
    """All that is served, and the memory that it shares."""

    models: list[ServedModel]
    memory: MemoryBudget

    @classmethod
    def of(cls, runtime: "Runtime") -> Self:
        """Read what is so now, by language."""
        return cls(
            models=[ServedModel.of(runtime, tag) for tag in _champions(runtime)],
            memory=MemoryBudget.of(runtime),
        )


def _model(tag: Tag) -> ModelAnswer:
    return ModelAnswer(name=tag.model.name, version=tag.model.version)


def _challenger(runtime: "Runtime", route: Route) -> Challenger | None:
    if (tag := route.challenger) is None:
        return None
    holding = runtime.residency.holding(tag)
    return Challenger(
        model=_model(tag),
        tag=str(tag),
        state=runtime.residency.state(tag),
        bytes=holding.nbytes if holding else 0,
        hits=runtime.residency.history(tag).hits,
        share=route.share,
        shadow=route.shadow,
    )


def _swap(runtime: "Runtime", language: str) -> PendingSwap | None:
    if (waiting := runtime.swap.waiting(language)) is None:
        return None
    return PendingSwap(model=_model(waiting.tag), tag=str(waiting.tag), why=waiting.why)


def _champions(runtime: "Runtime") -> Iterator[Tag]:
    return (route.champion for _, route in sorted(runtime.router.routes.items()))
