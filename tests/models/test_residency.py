import asyncio
import os
import threading
import time
from collections.abc import Iterator

import pytest

from models.artifact import Model
from models.budget import Budget
from models.errors import ModelTooLarge, ModelUnavailable
from models.identity import ModelId, Tag
from models.residency import HURRIED, NICENESS, Residency
from models.resource import Evicted, Loaded
from tests.fakes import Clock, FakeEngine, FakeModels

DE = Tag(ModelId("de", 1), "00000001")
EN = Tag(ModelId("en", 1), "00000002")
FR = Tag(ModelId("fr", 1), "00000003")

Models = Residency[Tag, Model]


class Niceness(FakeModels):
    """Sees how far the threads stand back that open models."""

    def __init__(self) -> None:
        """Have seen none yet."""
        super().__init__()
        self.seen: dict[Tag, int] = {}

    def open(self, tag: Tag) -> Model:
        """Open one."""
        self.seen[tag] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return super().open(tag)


@pytest.fixture
def clock() -> Clock:
    """Return a clock for the budget, the guards and the quarantine."""
    return Clock()


@pytest.fixture
def events() -> list[Loaded | Evicted]:
    """Return the list of what the residency tells."""
    return []


@pytest.fixture
def opener() -> FakeModels:
    """Return an opener of fake models that remembers."""
    return FakeModels()


@pytest.fixture
def residency(opener: FakeModels, clock: Clock, events: list[Loaded | Evicted]) -> Iterator[Models]:
    """Return a residency over fake models of one byte, with room for two."""
    residency = Residency(opener, Budget(2, clock), events.append)
    yield residency
    residency.close()


async def settled() -> None:
    """Let the threads that close do their work."""
    await asyncio.sleep(0.02)


async def hold(residency: Models, tag: Tag) -> Model:
    """Lease a model for a moment."""
    async with residency.lease(tag) as model:
        return model


async def test_however_many_wait_a_model_is_opened_once(
    residency: Models, opener: FakeModels
) -> None:
    """At most one load per tag at any time; others wait for it."""
    await asyncio.gather(*(hold(residency, DE) for _ in range(20)))

    assert opener.opened == [DE]


async def test_failed_load_is_told_to_each_and_tried_again(
    residency: Models, opener: FakeModels, clock: Clock
) -> None:
    """A load that failed is told to all who wait; a second later it is tried again."""
    opener.broken.add(DE)
    outcomes = await asyncio.gather(
        *(hold(residency, DE) for _ in range(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [ModelUnavailable] * 3

    assert opener.opened == [DE]

    opener.broken.clear()
    clock.now += 1

    await hold(residency, DE)
    assert residency.resident == {DE}


async def test_caller_who_leaves_does_not_stop_the_load(
    residency: Models, opener: FakeModels
) -> None:
    """The load belongs to everyone who waits."""
    opener.gate = threading.Event()
    impatient = asyncio.create_task(hold(residency, DE))
    patient = asyncio.create_task(hold(residency, DE))
    await asyncio.sleep(0)
    impatient.cancel()
    opener.gate.set()

    await patient

    assert opener.opened == [DE]


async def test_leased_model_is_closed_only_after_its_last_lease(
    residency: Models, opener: FakeModels
) -> None:
    """A leased model is never closed."""
    async with residency.lease(DE):
        residency.retain({EN})
        await settled()
        assert not opener.engines[DE].closed

    await settled()
    assert opener.engines[DE].closed
    assert residency.resident == frozenset()


async def test_failed_load_does_not_take_a_newer_one_with_it(
    residency: Models, opener: FakeModels
) -> None:
    """Each load answers for itself, retired or not."""
    residency.retain({EN})
    opener.broken.add(DE)

    async def stubborn() -> None:
        for _ in range(3):
            with pytest.raises(ModelUnavailable):
                await hold(residency, DE)

    await asyncio.gather(*(stubborn() for _ in range(4)))

    assert residency.resident == frozenset()


async def test_load_that_the_end_cuts_short_is_unavailable(opener: FakeModels) -> None:
    """A request never hangs on a service that stops."""
    residency = Residency(opener, Budget(2))
    opener.gate = threading.Event()
    waiting = [asyncio.create_task(hold(residency, tag)) for tag in (DE, EN, FR)]
    await asyncio.sleep(0.01)
    residency.close()
    opener.gate.set()

    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(outcome, Model | ModelUnavailable) for outcome in outcomes)


async def test_model_no_longer_wanted_is_not_opened_again(
    residency: Models, opener: FakeModels
) -> None:
    """A request that was routed before a swap is told so, and routed anew: its files may go."""
    residency.retain({EN})

    with pytest.raises(ModelUnavailable, match="no longer served"):
        await hold(residency, DE)

    assert opener.opened == []


async def test_model_that_is_retired_while_it_is_opened_goes_after_its_use(
    residency: Models, opener: FakeModels
) -> None:
    """Who waits for it is answered by it."""
    opener.gate = threading.Event()
    waiting = asyncio.create_task(hold(residency, DE))
    await settled()
    residency.retain({EN})
    opener.gate.set()

    await waiting
    await settled()
    assert opener.engines[DE].closed


async def test_model_that_is_given_up_while_it_is_opened_goes_once_it_is_open(
    residency: Models, opener: FakeModels
) -> None:
    """Who waits for it is answered; then it makes room for what takes its place."""
    opener.gate = threading.Event()
    waiting = asyncio.create_task(hold(residency, DE))
    await settled()
    residency.give_up(DE, "retired")
    opener.gate.set()

    await waiting
    await settled()
    assert residency.resident == frozenset()
    assert opener.engines[DE].closed


async def test_kept_model_is_nobodys_room(
    residency: Models, opener: FakeModels, clock: Clock
) -> None:
    """Who needs room waits until it is kept no longer, and is not refused."""
    opener.claim = 2
    await hold(residency, DE)
    clock.now += 100
    with residency.keeping(DE):
        waiting = asyncio.create_task(hold(residency, EN))
        await settled()
        assert (residency.state(DE), residency.state(EN)) == ("resident", "loading")

    await asyncio.wait_for(waiting, 5)
    assert opener.engines[DE].closed


async def test_hurried_model_is_opened_ahead_of_others(clock: Clock) -> None:
    """A version that takes over is not behind what is opened for who asks now and then."""
    opener = Niceness()
    residency = Residency(opener, Budget(2, clock))

    with residency.hurrying(DE):
        await hold(residency, DE)
        await hold(residency, EN)
    residency.close()

    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert opener.seen == {DE: max(own, HURRIED), EN: max(own, NICENESS)}


async def test_room_is_what_pins_leave(residency: Models) -> None:
    """A pin in whose place the new one comes does not count."""
    residency.pin(DE)
    await hold(residency, DE)

    assert residency.room(EN) == 1
    assert residency.room(DE) == 2


async def test_pin_that_leaves_all_the_same_is_in_nobodys_way(residency: Models) -> None:
    """What is evicted after its use makes room, pinned or not."""
    residency.pin(DE)
    async with residency.lease(DE):
        residency.evict(DE)
        assert residency.room(EN) == 2


async def test_room_is_made_by_closing_what_is_idle(
    residency: Models, opener: FakeModels, clock: Clock
) -> None:
    """A third model takes the place of the one that was used longest ago."""
    await hold(residency, DE)
    clock.now += 1
    await hold(residency, EN)
    clock.now += 100
    await hold(residency, EN)

    await hold(residency, FR)

    assert residency.resident == {EN, FR}
    assert opener.engines[DE].closed


async def test_pinned_model_stays(residency: Models, clock: Clock) -> None:
    """However long nobody asks for it."""
    residency.pin(DE)
    await hold(residency, DE)
    clock.now += 1000
    for tag in (EN, FR, EN, FR):
        await hold(residency, tag)
        clock.now += 100

    assert DE in residency.resident


async def test_leased_model_makes_room_once_it_is_let_go(
    residency: Models, opener: FakeModels, clock: Clock
) -> None:
    """Hot models do not shut a cold one out for ever; they are not closed in use either."""
    async with residency.lease(DE), residency.lease(EN):
        clock.now += 100
        cold = asyncio.create_task(hold(residency, FR))
        await settled()
        assert not cold.done()
        assert not opener.engines[DE].closed
        assert not opener.engines[EN].closed

    await asyncio.wait_for(cold, 5)
    assert FR in residency.resident


async def test_what_never_fits_is_refused_with_the_numbers(
    residency: Models, opener: FakeModels
) -> None:
    """Nothing is closed for it."""
    await hold(residency, DE)
    opener.claim = 3

    with pytest.raises(ModelTooLarge, match="up to 3 bytes; the budget is 2"):
        await hold(residency, EN)
    assert residency.resident == {DE}


async def test_model_is_taken_for_what_it_measures(
    residency: Models, opener: FakeModels, clock: Clock
) -> None:
    """One that claimed two bytes and holds one leaves room; one that grows loses it."""
    opener.claim = 2
    await hold(residency, DE)
    await residency.measure(new=True)
    opener.claim = 1
    await hold(residency, EN)
    assert residency.resident == {DE, EN}

    clock.now += 100
    opener.engines[EN].nbytes = 2
    await hold(residency, EN)
    await residency.measure()
    assert residency.resident == {EN}


async def test_request_that_can_not_wait_is_told_when_to_come_back(
    residency: Models, opener: FakeModels
) -> None:
    """It is 503 with Retry-After, while the load goes on for others."""
    opener.gate = threading.Event()
    with pytest.raises(ModelUnavailable) as raised:
        async with residency.lease(DE, until=time.monotonic() + 0.01):
            pass
    assert raised.value.retry_after
    assert residency.state(DE) == "loading"
    opener.gate.set()

    await hold(residency, DE)
    assert opener.opened == [DE]


async def test_load_that_nobody_waits_for_takes_no_room(
    residency: Models, opener: FakeModels
) -> None:
    """Who waits for room and leaves is not in the way of others."""
    async with residency.lease(DE), residency.lease(EN):
        cold = asyncio.create_task(hold(residency, FR))
        await settled()
        cold.cancel()
        await settled()

    assert FR not in opener.opened
    assert residency.state(FR) == "cold"


async def test_failure_is_quarantined_longer_each_time(
    residency: Models, opener: FakeModels, clock: Clock
) -> None:
    """Until then nobody tries, and who asks is told why and when."""
    opener.broken.add(DE)
    for seconds in (1, 2, 4):
        for _ in range(3):
            with pytest.raises(ModelUnavailable, match="OSError") as raised:
                await hold(residency, DE)
            assert raised.value.retry_after == seconds
            assert residency.state(DE) == "quarantined"
        clock.now += seconds

    assert opener.opened == [DE] * 3


async def test_what_happens_is_told(
    residency: Models, clock: Clock, events: list[Loaded | Evicted]
) -> None:
    """Loads and evictions, and those that came too early."""
    await hold(residency, DE)
    clock.now += 7
    residency.evict(DE)
    await hold(residency, DE)

    loaded, evicted, again = events
    assert isinstance(loaded, Loaded)
    assert isinstance(evicted, Evicted)
    assert isinstance(again, Loaded)
    assert (evicted.reason, evicted.open_seconds) == ("asked", 7)
    assert (loaded.premature, again.premature) == (False, True)


async def test_same_tag_is_not_opened_twice_while_it_leaves(
    residency: Models, opener: FakeModels
) -> None:
    """Who holds an evicted model keeps it; who comes after gets a new one."""
    opener.make = FakeEngine
    async with residency.lease(DE) as old:
        residency.evict(DE)
        async with residency.lease(DE) as new:
            assert new is not old
            await settled()
            assert old.engine is not new.engine
            assert not opener.engines[DE].closed
