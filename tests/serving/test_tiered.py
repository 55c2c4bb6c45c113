import asyncio
from dataclasses import dataclass, field

import pytest

from models.labels import Scores
from serving.cache import Memory
from serving.tiered import WRITES, Tiered

GOOD: Scores = {"positive": 0.75, "negative": 0.25}


@dataclass
class Far:
    """A shelf that takes its time."""

    kept: dict[bytes, Scores] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self, key: bytes) -> Scores | None:
        """Return what was kept."""
        self.asked.append(key)
        return self.kept.get(key)

    async def put(self, key: bytes, scores: Scores) -> None:
        """Keep it once the gate is open."""
        await self.gate.wait()
        self.kept[key] = scores


@pytest.fixture
def far() -> Far:
    """Return the far shelf."""
    return Far()


async def test_what_was_found_far_is_near_the_next_time(far: Far) -> None:
    """One journey for each answer."""
    far.kept[b"a"] = GOOD
    tiers = Tiered(Memory(3_000), far)

    assert [await tiers.get(b"a"), await tiers.get(b"a")] == [GOOD, GOOD]
    assert far.asked == [b"a"]


async def test_nobody_waits_for_the_far_shelf_to_keep(far: Far) -> None:
    """An answer is near at once; far when the shelf is ready."""
    tiers = Tiered(Memory(3_000), far)
    await tiers.put(b"a", GOOD)
    assert await tiers.get(b"a") == GOOD
    assert far.kept == {}

    far.gate.set()
    await asyncio.sleep(0.01)
    assert far.kept == {b"a": GOOD}


async def test_answers_on_their_way_are_bounded(far: Far) -> None:
    """What a stuck shelf does not take is not piled up."""
    tiers = Tiered(Memory(3_000), far)
    for number in range(2 * WRITES):
        await tiers.put(str(number).encode(), GOOD)

    far.gate.set()
    await asyncio.sleep(0.05)
    assert len(far.kept) == WRITES
