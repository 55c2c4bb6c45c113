"""Figures of a model to sentences: pure, for people who ask why."""

from collections.abc import Iterator

from models.units import duration, size
from serving.report.facts import Facts
from serving.report.inventory import ServedModel


def why(facts: Facts) -> list[str]:
    """Say why it is in memory or not."""
    said = {
        "resident": _resident,
        "loading": _loading,
        "cold": _cold,
        "quarantined": _quarantined,
    }
    return [*said[facts.model.state](facts), *_never_fits(facts), *_others(facts.model)]


def request(facts: Facts) -> list[str]:
    """Say what one short text would cost now."""
    return list(_request(facts))


def _resident(facts: Facts) -> Iterator[str]:
    model = facts.model
    yield (
        f"In memory with {size(model.bytes)} since {duration(facts.opened_seconds or 0)}; "
        f"opening it took {duration(model.load_seconds or 0)}."
    )
    used = "not used yet"
    if facts.used_seconds is not None:
        used = f"last used {duration(facts.used_seconds)} ago, {_times(model.hits, 'text')} in all"
    yield f"It was {used}."
    yield _stays(facts)


def _stays(facts: Facts) -> str:
    eviction = facts.eviction
    if facts.model.pinned:
        return "It is pinned: it stays, whatever else needs room."
    if eviction and eviction.guard_seconds:
        guard = duration(eviction.guard_seconds)
        return f"It was opened only just before: for {guard} more it stays, whatever needs room."
    if eviction and eviction.place:
        return (
            f"Where room is needed, it is number {eviction.place} of {eviction.of} to be closed; "
            f"{size(facts.memory.used)} of {size(facts.memory.limit)} are in use."
        )
    return "It is being used."


def _loading(facts: Facts) -> Iterator[str]:
    if facts.model.bytes:
        yield "It is being opened."
    else:
        yield (
            f"It waits for room to be opened in: {size(facts.memory.used)} of "
            f"{size(facts.memory.limit)} are in use, {size(facts.memory.pinned)} of them pinned."
        )


def _cold(facts: Facts) -> Iterator[str]:
    if facts.closed_seconds is not None:
        reason = {
            "budget": "to make room for others",
            "asked": "because that was asked for",
            "retired": "because another version took its place",
        }
        closed = reason.get(facts.closed_for, "")
        yield f"It was closed {duration(facts.closed_seconds)} ago {closed}".rstrip() + "."
    elif not facts.model.loads:
        yield "Not in memory: since the service started, no text has needed it."
    if facts.used_seconds is not None:
        used = duration(facts.used_seconds)
        yield f"It was last used {used} ago, {_times(facts.model.hits, 'text')} in all."


def _quarantined(facts: Facts) -> Iterator[str]:
    if (failure := facts.failure) is not None:
        yield f"It could not be opened, {_times(failure.times, 'time')} in a row: {failure.why}."
        yield f"It is left alone for {duration(failure.seconds)} more, then the next text tries."


def _never_fits(facts: Facts) -> Iterator[str]:
    if not facts.fits:
        memory = facts.memory
        yield (
            f"It does not fit: it takes {size(facts.cost.bytes or 0)}, the budget is "
            f"{size(memory.limit)}, {size(memory.pinned)} of them pinned (POLYSENT_MEMORY)."
        )


def _others(model: ServedModel) -> Iterator[str]:
    if (other := model.challenger) is not None:
        part = [f"answers {other.share:.0%} of the requests"] if other.share else []
        part += ["runs in the shadow of the others"] if other.shadow else []
        named = f"{other.model.name}:{other.model.version}"
        yield f"Its challenger {named} is {other.state} and {' and '.join(part)}."
    if (swap := model.swap) is not None:
        named = f"{swap.model.name}:{swap.model.version}"
        yield f"The routes want {named}, which does not take part yet: {swap.why}."


def _request(facts: Facts) -> Iterator[str]:
    cost = facts.cost
    if facts.failure:
        yield f"A text now is refused: 503, Retry-After {duration(facts.failure.seconds)}."
        return
    if not facts.fits:
        yield "A text now is refused: 503, model_too_large."
        return
    if cost.tokenizer != "resident":
        yield "Its tokenizer is loaded first." if cost.tokenizer else "Its files can't be read."
    if facts.model.state != "resident":
        yield from _opening(facts)
    yield _computing(facts)


def _computing(facts: Facts) -> str:
    if not facts.cost.queue_seconds:
        return "How long the engine takes is not known: it has computed nothing yet."
    queue, waiting = duration(facts.cost.queue_seconds), _times(facts.model.waiting, "text")
    return f"Queue and engine take about {queue} for a short text; {waiting} are before it."


def _opening(facts: Facts) -> Iterator[str]:
    cost = facts.cost
    if cost.closes:
        yield f"To make room for {size(cost.bytes or 0)}, {', '.join(cost.closes)} would be closed."
    elif cost.room_seconds is None:
        yield "There is no room, and nothing that may be closed now."
    elif cost.room_seconds:
        yield f"Room is made in {duration(cost.room_seconds)} at the earliest."
    if cost.load_seconds is None:
        yield "Opening it takes a time that is not known: nothing was opened yet."
    else:
        known = "as the last time" if facts.model.loads else "as the others took"
        yield f"Opening it takes about {duration(cost.load_seconds)}, {known}."


def _times(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
