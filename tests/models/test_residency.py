import asyncio
import threading
from collections.abc import Iterator

import pytest

from models.artifact import Artifact
from models.errors import ModelUnavailable
from models.identity import ModelId, Tag
from models.residency import Residency
from tests.fakes import FakeModels

DE = Tag(ModelId("de", 1), "00000001")
EN = Tag(ModelId("en", 1), "00000002")


@pytest.fixture
def opener() -> FakeModels:
    """Return an opener of fake models that remembers."""
    return FakeModels()


@pytest.fixture
def residency(opener: FakeModels) -> Iterator[Residency]:
    """Return a residency over fake models."""
    residency = Residency(opener)
    yield residency
    residency.close()


async def hold(residency: Residency, tag: Tag) -> Artifact:
    """Lease a model for a moment."""
    async with residency.lease(tag) as artifact:
        return artifact


async def test_however_many_wait_a_model_is_opened_once(
    residency: Residency, opener: FakeModels
) -> None:
    """At most one load per tag at any time; others wait for it."""
    await asyncio.gather(*(hold(residency, DE) for _ in range(20)))

    assert opener.opened == [DE]


async def test_failed_load_is_told_to_each_and_tried_again(
    residency: Residency, opener: FakeModels
) -> None:
    """A load that failed is forgotten: the next request tries again."""
    opener.broken.add(DE)
    outcomes = await asyncio.gather(
        *(hold(residency, DE) for _ in range(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [ModelUnavailable] * 3

    opener.broken.clear()

    await hold(residency, DE)
    assert residency.resident == {DE}


async def test_caller_who_leaves_does_not_stop_the_load(
    residency: Residency, opener: FakeModels
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
    residency: Residency, opener: FakeModels
) -> None:
    """A leased model is never closed."""
    async with residency.lease(DE):
        residency.retain({EN})
        assert not opener.engines[DE].closed

    assert opener.engines[DE].closed
    assert residency.resident == frozenset()


async def test_failed_load_does_not_take_a_newer_one_with_it(
    residency: Residency, opener: FakeModels
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
    residency = Residency(opener)
    opener.gate = threading.Event()
    first, second = (asyncio.create_task(hold(residency, tag)) for tag in (DE, EN))
    await asyncio.sleep(0.01)
    residency.close()
    opener.gate.set()

    await first
    with pytest.raises(ModelUnavailable):
        await second


async def test_model_no_longer_wanted_does_not_stay_open(
    residency: Residency, opener: FakeModels
) -> None:
    """A request that was routed before a swap may still open the old model, for itself alone."""
    residency.retain({EN})

    await hold(residency, DE)

    assert opener.engines[DE].closed
