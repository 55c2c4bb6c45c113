"""Why a model is in memory or not, and what a text would cost now; nothing is changed."""

import asyncio
import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from models.budget import Holding
from models.errors import PolysentError
from models.identity import Tag
from serving.call import Urgency
from serving.report import sentences
from serving.report.facts import Cost, Eviction, Explanation, Facts, Failure
from serving.report.inventory import MemoryBudget, ServedModel

if TYPE_CHECKING:
    from models.openers import Vocabulary
    from serving.assemble import Runtime

TOKENS = 32
"""Length of the text whose cost is told."""


async def explain(runtime: "Runtime", tag: Tag) -> Explanation:
    """Gather what is so of a champion now, and say what it means."""
    nbytes = await asyncio.to_thread(_bytes, runtime, tag)
    vocabulary = await _vocabulary(runtime, tag)
    facts = _facts(runtime, tag, _cost(runtime, tag, nbytes, vocabulary))
    return Explanation(**dict(facts), why=sentences.why(facts), request=sentences.request(facts))


def _facts(runtime: "Runtime", tag: Tag, cost: Cost) -> Facts:
    known, holding = runtime.residency.history(tag), runtime.residency.holding(tag)
    now = time.time()
    return Facts(
        model=ServedModel.of(runtime, tag),
        memory=MemoryBudget.of(runtime),
        opened_seconds=_since(holding.opened_at, runtime.budget.clock()) if holding else None,
        used_seconds=_since(known.used or math.inf, now),
        closed_seconds=_since(known.evicted, now),
        closed_for=known.reason,
        eviction=_eviction(runtime, holding) if holding else None,
        failure=_failure(runtime, tag),
        cost=cost,
    )


def _since(moment: float, now: float) -> float | None:
    return max(0.0, now - moment) if math.isfinite(moment) else None


def _eviction(runtime: "Runtime", holding: Holding) -> Eviction | None:
    if not math.isfinite(holding.opened_at):
        return None
    order = runtime.budget.order()
    return Eviction(
        place=order.index(holding) + 1 if holding in order else None,
        of=len(order),
        guard_seconds=_finite(holding.held.guarded_until - runtime.budget.clock()) or 0.0,
    )


def _failure(runtime: "Runtime", tag: Tag) -> Failure | None:
    if (failure := runtime.residency.failure(tag)) is None:
        return None
    left = max(0.0, failure.until - runtime.budget.clock())
    return Failure(why=failure.why, times=failure.times, seconds=left)


def _cost(
    runtime: "Runtime", tag: Tag, nbytes: int | None, vocabulary: "Vocabulary | None"
) -> Cost:
    resident = runtime.residency.state(tag) == "resident"
    holding = runtime.residency.holding(tag)
    placed = holding is not None and holding.nbytes > 0
    with _used(runtime, vocabulary):
        plan = None if placed else runtime.budget.would_close(nbytes or 0)
        room = runtime.budget.room_at(nbytes or 0) - runtime.budget.clock()
    names = _names(runtime)
    return Cost(
        queue_seconds=runtime.scheduler.wait(tag, Urgency.INTERACTIVE, TOKENS),
        load_seconds=0.0 if resident else _load_seconds(runtime, tag),
        tokenizer=runtime.tokenizers.state(vocabulary) if vocabulary else None,
        bytes=nbytes,
        room_seconds=0.0 if plan is None else _finite(room),
        closes=[names[victim] for victim in plan.victims if victim in names] if plan else [],
    )


def _finite(seconds: float) -> float | None:
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _load_seconds(runtime: "Runtime", tag: Tag) -> float | None:
    champions = {route.champion for route in runtime.router.routes.values()}
    known = {each: runtime.residency.history(each) for each in champions}
    took = {each: one.load_seconds for each, one in known.items() if one.loads}
    return took.get(tag, statistics.median(took.values()) if took else None)


def _names(runtime: "Runtime") -> dict[Holding, str]:
    models, tokenizers = runtime.residency, runtime.tokenizers
    places = [(models.holding(tag), str(tag.model)) for tag in models.resident]
    places += [(tokenizers.holding(one), str(one)) for one in tokenizers.resident]
    return {holding: name for holding, name in places if holding}


def _bytes(runtime: "Runtime", tag: Tag) -> int | None:
    try:
        return runtime.residency.claims(tag)
    except (OSError, PolysentError):
        return None


async def _vocabulary(runtime: "Runtime", tag: Tag) -> "Vocabulary | None":
    try:
        return await runtime.encoder.vocabulary(tag)
    except PolysentError:
        return None


@contextmanager
def _used(runtime: "Runtime", vocabulary: "Vocabulary | None") -> Iterator[None]:
    """Meanwhile count a tokenizer as used just now: a text uses it before it needs its model."""
    holding = runtime.tokenizers.holding(vocabulary) if vocabulary else None
    if holding is None or not math.isfinite(holding.used_at):
        yield
        return
    before, holding.used_at = holding.used_at, runtime.budget.clock()
    try:
        yield
    finally:
        holding.used_at = before
