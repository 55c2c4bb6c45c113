import asyncio
import threading
from collections.abc import Iterator

import pytest

from models.errors import EngineFailed, ModelUnavailable, Overloaded
from models.identity import ModelId, Tag
from models.labels import best
from models.residency import Residency
from serving.runner import Limits, Runners
from tests.fakes import WORDS, FakeEngine, FakeModels

EN = Tag(ModelId("en", 1), "00000001")
DE = Tag(ModelId("de", 1), "00000002")


@pytest.fixture
def opener() -> FakeModels:
    """Return an opener of fake models that remembers."""
    return FakeModels()


@pytest.fixture
def runners(opener: FakeModels) -> Iterator[Runners]:
    """Return runners over fake models: 8 texts may wait, 16 tokens are a batch."""
    residency = Residency(opener)
    runners = Runners(residency, Limits(queue=8, tokens=16))
    yield runners
    runners.close()
    residency.close()


async def test_each_text_gets_its_own_answer(runners: Runners) -> None:
    """Row i answers text i, however the batches were cut."""
    texts = ["good", "bad", "good good bad", "bad bad", "good"]

    answers = await asyncio.gather(*(runners.scores(EN, text) for text in texts))

    expected = ["positive", "negative", "positive", "negative", "positive"]
    assert [best(answer) for answer in answers] == expected


async def test_texts_that_wait_are_answered_together(runners: Runners, opener: FakeModels) -> None:
    """While the engine is busy texts accumulate; then they are one batch."""
    opener.gate = threading.Event()
    waiting = [asyncio.create_task(runners.scores(EN, "good")) for _ in range(6)]
    await asyncio.sleep(0.01)
    opener.gate.set()
    await asyncio.gather(*waiting)

    assert [len(batch) for batch in opener.engines[EN].batches] == [6]


async def test_batch_is_cut_by_tokens(runners: Runners, opener: FakeModels) -> None:
    """Rows times the longest row stays within the budget; one long text is a batch of its own."""
    opener.gate = threading.Event()
    texts = ["good " * 4] * 3 + ["bad " * 30] + ["good " * 4] * 2
    waiting = [asyncio.create_task(runners.scores(EN, text)) for text in texts]
    await asyncio.sleep(0.01)
    opener.gate.set()
    await asyncio.gather(*waiting)

    assert [len(batch) for batch in opener.engines[EN].batches] == [3, 1, 2]


async def test_full_queue_refuses_and_then_takes_again(
    runners: Runners, opener: FakeModels
) -> None:
    """Full means no, at once; loading counts as waiting."""
    opener.gate = threading.Event()
    waiting = [asyncio.create_task(runners.scores(EN, "good")) for _ in range(8)]
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded):
        await runners.scores(EN, "good")
    opener.gate.set()
    await asyncio.gather(*waiting)

    assert best(await runners.scores(EN, "good")) == "positive"


async def test_full_queue_of_one_model_is_not_another_ones(
    runners: Runners, opener: FakeModels
) -> None:
    """A hot language does not shut the others out."""
    opener.gate = threading.Event()
    waiting = [asyncio.create_task(runners.scores(EN, "good")) for _ in range(8)]
    other = asyncio.create_task(runners.scores(DE, "bad"))
    await asyncio.sleep(0.01)
    opener.gate.set()

    assert best(await other) == "negative"
    await asyncio.gather(*waiting)


async def test_caller_who_left_is_never_computed(runners: Runners, opener: FakeModels) -> None:
    """A request whose client has gone is dropped before the engine sees it."""
    opener.make = lambda: FakeEngine(gate=threading.Event())
    busy = asyncio.create_task(runners.scores(EN, "good"))
    await asyncio.sleep(0.05)
    gone = asyncio.create_task(runners.scores(EN, "bad"))
    stays = asyncio.create_task(runners.scores(EN, "good good"))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0)
    engine = opener.engines[EN]
    assert engine.gate is not None
    engine.gate.set()
    await asyncio.gather(busy, stays)

    assert engine.batches == [[[WORDS["good"]]], [[WORDS["good"]] * 2]]


async def test_engine_that_fails_is_told_and_the_next_request_is_fine(runners: Runners) -> None:
    """A poisonous text is an EngineFailed, nothing more."""
    with pytest.raises(EngineFailed):
        await runners.scores(EN, "poison")

    assert best(await runners.scores(EN, "good")) == "positive"


async def test_poison_fails_alone(runners: Runners, opener: FakeModels) -> None:
    """Who was in one batch with a poisonous text is answered."""
    opener.gate = threading.Event()
    texts = ["good", "poison", "bad"]
    waiting = [asyncio.create_task(runners.scores(EN, text)) for text in texts]
    await asyncio.sleep(0.01)
    opener.gate.set()

    good, poison, bad = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(poison, EngineFailed)
    assert isinstance(good, dict)
    assert isinstance(bad, dict)


@pytest.mark.parametrize("fault", ["nan", "short"])
async def test_engine_that_answers_nonsense_is_a_failure(
    runners: Runners, opener: FakeModels, fault: str
) -> None:
    """Scores that are no numbers, or fewer rows than texts: told, and nobody hangs."""
    opener.make = lambda: FakeEngine(fault=fault)

    with pytest.raises(EngineFailed):
        await asyncio.wait_for(runners.scores(EN, "good"), timeout=5)


async def test_long_text_is_answered_too(runners: Runners) -> None:
    """Its tokens are made off the event loop."""
    assert best(await runners.scores(EN, "good " * 2_000)) == "positive"


async def test_model_that_can_not_be_opened_is_unavailable(
    runners: Runners, opener: FakeModels
) -> None:
    """And it is not for ever."""
    opener.broken.add(EN)
    with pytest.raises(ModelUnavailable):
        await runners.scores(EN, "good")
    opener.broken.clear()

    assert best(await runners.scores(EN, "good")) == "positive"
