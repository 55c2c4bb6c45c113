import asyncio
import re

import pytest

from models.labels import Scores
from serving import shadow
from serving.shadow import Shadowed, compared
from tests.serving.world import World, until


def copies(world: World, outcome: str) -> float:
    """Return how many copies have ended so."""
    line = f'polysent_shadow_total{{language="de",outcome="{outcome}"}} (.*)'
    found = re.search(re.escape(line[:-4]) + "(.*)", world.runtime.metrics().decode())
    return float(found[1]) if found else 0.0


@pytest.fixture
async def shadowed(world: World) -> World:
    """Return a service whose version 2 runs in the shadow of version 1."""
    await world.ask()
    world.route(1, challenger=2, shadow=True)
    await until(lambda: not world.why())
    return world


async def test_challenger_in_the_shadow_answers_nobody_and_is_compared(shadowed: World) -> None:
    """Each text is answered by the champion, what the cache knows as well."""
    for number in range(5):
        assert await shadowed.ask(f"good {number % 2}") == 1
    await until(lambda: copies(shadowed, "agreed") == 5)

    apart = re.search(
        r"polysent_shadow_difference_sum\S* (\S+)", shadowed.runtime.metrics().decode()
    )
    assert apart
    assert float(apart[1]) / 5 == pytest.approx(0.8808 - 0.7311, abs=1e-3)


async def test_copies_are_not_kept_for_answers(shadowed: World) -> None:
    """What the shadow computed nobody is answered with."""
    before = shadowed.runtime.cache.nbytes
    await shadowed.ask("good film")
    once = shadowed.runtime.cache.nbytes - before
    await until(lambda: copies(shadowed, "agreed") == 1)

    assert shadowed.runtime.cache.nbytes - before == once


async def test_answer_does_not_wait_for_its_copy(shadowed: World) -> None:
    """Whatever becomes of the challenger; beyond a number, copies are dropped."""
    shadowed.runtime.residency.evict(shadowed.tags[2])
    with shadowed.nothing_opens():
        for number in range(shadow.AT_A_TIME + 3):
            assert await shadowed.ask(f"good {number}") == 1
        assert copies(shadowed, "dropped") == 3
        assert copies(shadowed, "agreed") == 0
    await until(lambda: copies(shadowed, "agreed") == shadow.AT_A_TIME)


async def test_challenger_that_breaks_fails_in_the_shadow_alone(shadowed: World) -> None:
    """It is counted."""
    shadowed.runtime.residency.evict(shadowed.tags[2])
    shadowed.spoil(2)
    assert await shadowed.ask("good") == 1
    await until(lambda: copies(shadowed, "failed") == 1)


async def test_copy_closes_no_other_model(shadowed: World) -> None:
    """A challenger that is no longer in memory, and has no room, is let be."""
    shadowed.runtime.residency.evict(shadowed.tags[2])
    await asyncio.sleep(0.05)
    shadowed.runtime.budget.limit = shadowed.runtime.budget.used
    assert await shadowed.ask("good film") == 1
    await until(lambda: copies(shadowed, "dropped") == 1)

    assert (shadowed.state(1), shadowed.state(2)) == ("resident", "cold")


def test_answers_are_compared_by_label_and_score() -> None:
    """A label that one of them does not know counts as 0."""
    sure: Scores = {"negative": 0.1, "positive": 0.9}
    torn: Scores = {"negative": 0.2, "neutral": 0.5, "positive": 0.3}

    assert compared("de", sure, sure) == Shadowed("de", "agreed", 0.0)
    differing = compared("de", sure, torn)
    assert differing.outcome == "differed"
    assert differing.difference == pytest.approx((0.1 + 0.5 + 0.6) / 3)
