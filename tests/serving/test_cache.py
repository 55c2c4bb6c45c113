import asyncio
from dataclasses import dataclass, field

import pytest

from models.errors import EngineFailed, Overloaded
from models.identity import ModelId, Tag
from models.labels import Scores
from serving.cache import Cached, Found, Memory
from serving.call import Call

V1 = Tag(ModelId("en", 1), "00000001")
V2 = Tag(ModelId("en", 2), "00000002")


@dataclass
class Engine:
    """Answers after a while, and remembers what it computed."""

    computed: list[tuple[Tag, list[int]]] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)

    async def __call__(self, tag: Tag, row: list[int], call: Call) -> Scores:
        """Compute."""
        del call
        self.computed.append((tag, row))
        await asyncio.sleep(0.01)
        if self.fails:
            raise self.fails.pop()
        return {"positive": float(len(self.computed)), "negative": 0.0}


@pytest.fixture
def engine() -> Engine:
    """Return what computes."""
    return Engine()


@pytest.fixture
def found() -> list[Found]:
    """Return the list of what the cache knew."""
    return []


@pytest.fixture
def ask(engine: Engine, found: list[Found]) -> Cached:
    """Return a cache of a few answers."""
    return Cached(engine, Memory(3_000), found.append)


async def test_same_tokens_are_computed_once(
    ask: Cached, engine: Engine, found: list[Found]
) -> None:
    """The second answer is the first one."""
    assert await ask(V1, [1, 2], Call()) == await ask(V1, [1, 2], Call())
    assert len(engine.computed) == 1
    assert found == ["miss", "hit"]


async def test_other_version_and_other_tokens_are_others(ask: Cached, engine: Engine) -> None:
    """The key is exact."""
    for tag, row in ((V1, [1, 2]), (V2, [1, 2]), (V1, [1]), (V1, [2, 1]), (V1, [258])):
        await ask(tag, row, Call())
    assert len(engine.computed) == 5


async def test_who_asks_meanwhile_waits_for_the_same(
    ask: Cached, engine: Engine, found: list[Found]
) -> None:
    """Identical texts in flight are joined."""
    answers = await asyncio.gather(*(ask(V1, [1], Call()) for _ in range(5)))
    assert len(engine.computed) == 1
    assert all(answer == answers[0] for answer in answers)
    assert found == ["miss", *["joined"] * 4]


async def test_caller_who_leaves_does_not_take_others_along(ask: Cached, engine: Engine) -> None:
    """One of those who joined goes on."""
    first = asyncio.create_task(ask(V1, [1], Call()))
    await asyncio.sleep(0)
    others = [asyncio.create_task(ask(V1, [1], Call())) for _ in range(3)]
    await asyncio.sleep(0.001)
    first.cancel()

    assert len({answer["positive"] for answer in await asyncio.gather(*others)}) == 1
    assert len(engine.computed) == 2


async def test_refusal_of_one_is_not_that_of_another(ask: Cached, engine: Engine) -> None:
    """Another one's deadline or place in the queue is not mine."""
    engine.fails = [Overloaded("yours")]
    outcomes = await asyncio.gather(
        *(ask(V1, [1], Call()) for _ in range(3)), return_exceptions=True
    )
    assert [isinstance(outcome, Overloaded) for outcome in outcomes] == [True, False, False]


async def test_broken_text_breaks_for_all_and_is_not_kept(ask: Cached, engine: Engine) -> None:
    """It would break the engine again now; later it may not."""
    engine.fails = [EngineFailed("poison")]
    outcomes = await asyncio.gather(
        *(ask(V1, [1], Call()) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(outcome, EngineFailed) for outcome in outcomes)
    assert await ask(V1, [1], Call())


async def test_bytes_are_bounded(engine: Engine, found: list[Found]) -> None:
    """What was used longest ago goes first."""
    memory = Memory(3_000)
    ask = Cached(engine, memory, found.append)
    for token in (1, 2, 3, 1, 4, 5):
        await ask(V1, [token], Call())
    assert memory.nbytes <= 3_000

    found.clear()
    for token in (1, 2):
        await ask(V1, [token], Call())
    assert found == ["hit", "miss"]
