import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from models.budget import Budget
from models.errors import EngineFailed, ModelUnavailable, Overloaded
from models.identity import ModelId, Tag
from models.labels import Scores, best
from models.residency import Residency
from serving.batch import Limits
from serving.call import Call, Urgency
from serving.runner import Runners
from serving.scheduler import Ran, Scheduler
from tests.fakes import WORDS, FakeEngine, FakeModels

EN = Tag(ModelId("en", 1), "00000001")
DE = Tag(ModelId("de", 1), "00000002")


@dataclass
class Asked:
    """Runners over fake models: 8 texts may wait, 16 tokens are a batch, one at a time."""

    opener: FakeModels
    runners: Runners
    ran: list[Ran]

    async def __call__(self, tag: Tag, text: str, call: Call | None = None) -> Scores:
        """Ask for one text; words are tokens."""
        row = [WORDS[word] for word in text.split()]
        return await self.runners(tag, row, call or Call())

    def tasks(self, tag: Tag, *texts: str, call: Call | None = None) -> list[asyncio.Task[Scores]]:
        """Ask for texts at the same time."""
        return [asyncio.create_task(self(tag, text, call)) for text in texts]


@pytest.fixture
def opener() -> FakeModels:
    """Return an opener of fake models that remembers."""
    return FakeModels()


@pytest.fixture
def ask(opener: FakeModels) -> Iterator[Asked]:
    """Return what answers."""
    ran: list[Ran] = []
    residency = Residency(opener, Budget(10))
    scheduler = Scheduler(1, Limits(tokens=16, padding=0.2), residency.hold, ran.append)
    yield Asked(opener, Runners(residency, scheduler, 8), ran)
    scheduler.close()
    residency.close()


async def test_each_text_gets_its_own_answer(ask: Asked) -> None:
    """Row i answers text i, however the batches were cut."""
    texts = ["good", "bad", "good good bad", "bad bad", "good"]

    answers = await asyncio.gather(*(ask(EN, text) for text in texts))

    expected = ["positive", "negative", "positive", "negative", "positive"]
    assert [best(answer) for answer in answers] == expected


async def test_texts_that_wait_are_answered_together(ask: Asked, opener: FakeModels) -> None:
    """While the engine is busy texts accumulate; then they are one batch."""
    opener.gate = threading.Event()
    waiting = [asyncio.create_task(ask(EN, "good")) for _ in range(6)]
    await asyncio.sleep(0.01)
    opener.gate.set()
    await asyncio.gather(*waiting)

    assert [len(batch) for batch in opener.engines[EN].batches] == [6]


async def test_batch_is_cut_by_tokens(ask: Asked, opener: FakeModels) -> None:
    """Rows times the longest row stays within the budget; one long text is a batch of its own."""
    opener.gate = threading.Event()
    texts = ["good good good good"] * 3 + ["bad " * 30] + ["good good good"] * 2
    waiting = [asyncio.create_task(ask(EN, text)) for text in texts]
    await asyncio.sleep(0.01)
    opener.gate.set()
    await asyncio.gather(*waiting)

    assert [len(batch) for batch in opener.engines[EN].batches] == [4, 1, 1]


async def test_full_queue_refuses_and_then_takes_again(ask: Asked, opener: FakeModels) -> None:
    """Full means no, at once; loading counts as waiting."""
    opener.gate = threading.Event()
    waiting = [asyncio.create_task(ask(EN, "good")) for _ in range(8)]
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded):
        await ask(EN, "good")
    opener.gate.set()
    await asyncio.gather(*waiting)

    assert best(await ask(EN, "good")) == "positive"


async def test_full_queue_of_one_model_is_not_another_ones(ask: Asked, opener: FakeModels) -> None:
    """A hot language does not shut the others out."""
    opener.gate = threading.Event()
    waiting = [asyncio.create_task(ask(EN, "good")) for _ in range(8)]
    other = asyncio.create_task(ask(DE, "bad"))
    await asyncio.sleep(0.01)
    opener.gate.set()

    assert best(await other) == "negative"
    await asyncio.gather(*waiting)


async def test_caller_who_left_is_never_computed(ask: Asked, opener: FakeModels) -> None:
    """A request whose client has gone is dropped before the engine sees it."""
    opener.make = lambda: FakeEngine(gate=threading.Event())
    busy = asyncio.create_task(ask(EN, "good"))
    await asyncio.sleep(0.05)
    gone = asyncio.create_task(ask(EN, "bad"))
    stays = asyncio.create_task(ask(EN, "good good"))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0)
    engine = opener.engines[EN]
    assert engine.gate is not None
    engine.gate.set()
    await asyncio.gather(busy, stays)

    assert engine.batches == [[[WORDS["good"]]], [[WORDS["good"]] * 2]]


async def test_engine_that_fails_is_told_and_the_next_request_is_fine(ask: Asked) -> None:
    """A poisonous text is an EngineFailed, nothing more."""
    with pytest.raises(EngineFailed):
        await ask(EN, "poison")

    assert best(await ask(EN, "good")) == "positive"


async def test_poison_fails_alone(ask: Asked, opener: FakeModels) -> None:
    """Who was in one batch with a poisonous text is answered."""
    opener.gate = threading.Event()
    texts = ["good", "poison", "bad"]
    waiting = [asyncio.create_task(ask(EN, text)) for text in texts]
    await asyncio.sleep(0.01)
    opener.gate.set()

    good, poison, bad = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(poison, EngineFailed)
    assert isinstance(good, dict)
    assert isinstance(bad, dict)


@pytest.mark.parametrize("fault", ["nan", "short"])
async def test_engine_that_answers_nonsense_is_a_failure(
    ask: Asked, opener: FakeModels, fault: str
) -> None:
    """Scores that are no numbers, or fewer rows than texts: told, and nobody hangs."""
    opener.make = lambda: FakeEngine(fault=fault)

    with pytest.raises(EngineFailed):
        await asyncio.wait_for(ask(EN, "good"), timeout=5)


async def test_model_that_can_not_be_opened_is_unavailable(ask: Asked, opener: FakeModels) -> None:
    """And it is not for ever."""
    opener.broken.add(EN)
    with pytest.raises(ModelUnavailable):
        await ask(EN, "good")
    opener.broken.clear()
    await asyncio.sleep(1.01)

    assert best(await ask(EN, "good")) == "positive"


async def test_texts_of_like_length_go_together(ask: Asked, opener: FakeModels) -> None:
    """Short ones are not padded to the length of long ones."""
    opener.gate = threading.Event()
    waiting = ask.tasks(EN, *["good", "good " * 8] * 2)
    await asyncio.sleep(0.01)
    opener.gate.set()
    await asyncio.gather(*waiting)

    assert [(ran.texts, ran.tokens, ran.padding) for ran in ask.ran] == [(2, 2, 0), (2, 16, 0)]
    assert [ran.reason for ran in ask.ran] == ["tokens", "drained"]


async def test_model_that_had_less_goes_first(ask: Asked, opener: FakeModels) -> None:
    """A text for a quiet language does not wait for all that wait for a loud one."""
    opener.make = lambda: FakeEngine(seconds=0.02)
    await asyncio.gather(ask(EN, "good"), ask(DE, "good"))
    loud = ask.tasks(EN, *["good " * 16] * 8)
    await asyncio.sleep(0.03)
    quiet = asyncio.create_task(ask(DE, "good " * 16))
    await quiet

    assert sum(task.done() for task in loud) <= 3
    await asyncio.gather(*loud)


async def test_interactive_goes_before_bulk(ask: Asked, opener: FakeModels) -> None:
    """Who waits for one answer is not stuck behind who waits for many."""
    opener.make = lambda: FakeEngine(seconds=0.02)
    await ask(EN, "good")
    bulk = ask.tasks(EN, *["good " * 16] * 8, call=Call(urgency=Urgency.BULK))
    await asyncio.sleep(0.03)
    await asyncio.gather(*ask.tasks(EN, *["bad " * 16] * 4))

    assert sum(task.done() for task in bulk) <= 3
    await asyncio.gather(*bulk)


async def test_bulk_is_not_starved(ask: Asked, opener: FakeModels) -> None:
    """It has its small share, however much interactive work there is."""
    opener.make = lambda: FakeEngine(seconds=0.002)
    await ask(EN, "good")
    bulk = asyncio.create_task(ask(EN, "good " * 16, Call(urgency=Urgency.BULK)))
    done = 0
    while not bulk.done():
        await asyncio.gather(*ask.tasks(EN, *["bad " * 16] * 4))
        done += 4
        assert done < 200


async def test_doomed_text_is_refused_at_arrival(ask: Asked, opener: FakeModels) -> None:
    """What could not be answered in time is told so at once, with when to come back."""
    opener.make = lambda: FakeEngine(seconds=0.05)
    await ask(EN, "good " * 16)
    waiting = ask.tasks(EN, *["good " * 16] * 6)
    await asyncio.sleep(0)

    with pytest.raises(Overloaded) as raised:
        await ask(EN, "good " * 16, Call(deadline=time.monotonic() + 0.1))

    assert raised.value.retry_after
    await asyncio.gather(*waiting)


async def test_text_that_waited_too_long_is_not_computed(ask: Asked, opener: FakeModels) -> None:
    """It is told so when its turn comes."""
    opener.gate = threading.Event()
    opener.make = lambda: FakeEngine(gate=threading.Event())
    first = ask.tasks(EN, "good " * 16)
    opener.gate.set()
    await asyncio.sleep(0.05)
    late = ask.tasks(EN, "bad", call=Call(deadline=time.monotonic() + 0.01))
    await asyncio.sleep(0.05)
    engine = opener.engines[EN]
    assert engine.gate is not None
    engine.gate.set()

    with pytest.raises(Overloaded, match="waited too long"):
        await late[0]
    await asyncio.gather(*first)
    assert len(engine.batches) == 1


async def test_one_poison_among_many_costs_few_runs(ask: Asked, opener: FakeModels) -> None:
    """The batch is halved until the poison is alone."""
    opener.gate = threading.Event()
    waiting = ask.tasks(EN, *["good"] * 5, "poison", *["good"] * 2)
    await asyncio.sleep(0.01)
    opener.gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert [isinstance(outcome, EngineFailed) for outcome in outcomes].count(True) == 1
    assert isinstance(outcomes[5], EngineFailed)
    assert [len(batch) for batch in opener.engines[EN].batches] == [8, 4, 4, 2, 1, 1, 2]


async def test_time_in_each_stage_is_told(ask: Asked) -> None:
    """The first text pays for the load; the next does not."""
    cold, warm = Call(), Call()
    await ask(EN, "good", cold)
    await ask(EN, "good", warm)

    assert set(cold.stages) == {"load", "queue", "infer"}
    assert set(warm.stages) == {"queue", "infer"}
