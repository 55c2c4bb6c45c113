import asyncio
import random
import shutil
from pathlib import Path

import pytest

from models.engine import prepacked
from models.errors import NothingServed
from models.leases import Leases
from models.routes import Route
from models.settings import Settings
from serving.assemble import assemble
from serving.report.explain import explain
from serving.report.inventory import ServedModel
from tests.serving.world import ALL_MODELS, ONE_MODEL, World, until
from tests.tiny import serve_tiny, write_routes


async def test_new_champion_answers_once_it_is_open_and_has_run(world: World) -> None:
    """Until then the old one does, and nobody waits."""
    await world.ask()
    with world.nothing_opens():
        world.route(2)
        assert [await world.ask() for _ in range(5)] == [1] * 5
        assert world.why() == "it is being opened"
    await until(lambda: not world.why())

    assert await world.ask() == 2
    assert world.runtime.residency.history(world.tags[2]).loads == 1
    assert world.state(1) == "cold"
    assert world.swaps("warm") == 1


async def test_cold_language_switches_without_opening_anything(world: World) -> None:
    """There is nothing to protect; the next text opens the new version."""
    world.route(2)
    await until(lambda: not world.why())

    assert (world.state(1), world.state(2)) == ("cold", "cold")
    assert world.swaps("cold") == 1
    assert await world.ask() == 2


async def test_service_starts_with_whatever_the_routes_say(world: World) -> None:
    """There is no old version that could answer."""
    world.spoil(2)
    world.route(2)
    runtime = assemble(Settings(threads=1), world.store)
    assert runtime.router.choose("de") == world.tags[2]
    runtime.close()


@pytest.mark.parametrize("warm", [True, False])
async def test_version_with_a_truncated_file_never_takes_over(world: World, *, warm: bool) -> None:
    """The old one goes on, whether or not it is in memory, and the reason is told."""
    if warm:
        await world.ask()
    weights = world.store.path(world.tags[2]) / "model.bin"
    weights.write_bytes(weights.read_bytes()[:10])
    world.route(2)
    await until(lambda: "model.bin has 10 bytes" in world.why())

    assert await world.ask() == 1
    assert world.swaps("failed") == 1
    assert 'polysent_swaps_waiting{language="de"} 1.0' in world.runtime.metrics().decode()


async def test_version_that_can_not_be_opened_never_takes_over(world: World) -> None:
    """What only shows when it is opened is found before it answers."""
    await world.ask()
    world.spoil(2)
    world.route(2)
    await until(lambda: "can't be opened" in world.why())

    assert await world.ask() == 1


async def test_what_could_not_be_opened_is_tried_again(world: World) -> None:
    """A second later, and then less and less often."""
    await world.ask()
    world.spoil(2)
    world.route(2)
    await until(lambda: world.swaps("failed") == 1)
    shutil.rmtree(prepacked.root(world.store.home))  # made anew where it is missing

    await until(lambda: not world.why(), world.runtime.swap.look)
    assert await world.ask() == 2


async def test_routes_that_change_end_the_wait(world: World) -> None:
    """Back to the old version, or on to another."""
    await world.ask()
    world.spoil(2)
    world.route(2)
    await until(lambda: world.swaps("failed") == 1)
    world.route(1)
    assert not world.why()
    world.route(3)
    await until(lambda: not world.why())

    assert await world.ask() == 3


async def test_version_that_is_being_removed_counts_as_not_there(world: World) -> None:
    """Garbage collection was first."""
    with Leases(world.store).removing(world.tags[2]) as nobody:
        assert nobody
        world.route(2)
        await until(lambda: "being removed" in world.why())
    assert await world.ask() == 1


async def test_versions_that_answer_are_leased_and_others_are_not(world: World) -> None:
    """In memory or not; the old one is let go with its last text."""
    assert [world.is_free(version) for version in (1, 2, 3)] == [False, True, True]
    async with world.runtime.residency.lease(world.tags[1]):
        world.route(2)
        await until(lambda: not world.why())
        assert [world.is_free(version) for version in (1, 2, 3)] == [False, False, True]
    await until(lambda: world.is_free(1))


async def test_service_that_stops_holds_nothing(world: World) -> None:
    """Neither what is in memory nor what was only to answer."""
    await world.ask()
    world.runtime.close()
    await until(lambda: world.is_free(1))


async def test_store_that_takes_no_leases_is_served_all_the_same(
    made: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A volume that is mounted read-only, say; the log has a word of it."""
    (tmp_path / "store" / "polysent").mkdir(parents=True)
    (tmp_path / "store" / "polysent" / "leases").write_text("no folder")
    world = made.copy(tmp_path / "store", ALL_MODELS)
    assert await world.ask() == 1
    world.route(2)
    await until(world.is_settled)
    assert await world.ask() == 2
    world.runtime.close()

    assert "from being removed" in caplog.text


async def test_inventory_shows_both_versions_and_what_waits(world: World) -> None:
    """Who has which share, and why the routes are not yet followed."""
    await world.ask()
    world.route(1, challenger=2, share=0.25, shadow=True)
    await until(world.is_settled)
    row = ServedModel.of(world.runtime, world.tags[1])
    assert row.challenger
    assert row.challenger.model.version == 2
    assert (row.challenger.share, row.challenger.shadow) == (0.25, True)
    assert (row.challenger.state, row.swap) == ("resident", None)

    (world.store.path(world.tags[3]) / "manifest.json").unlink()
    world.route(3)
    await until(lambda: "manifest" in world.why())
    explained = await explain(world.runtime, world.tags[1])
    assert explained.model.swap
    assert explained.model.swap.model.version == 3
    assert "The routes want sentiment-de:3" in explained.why[-1]
    assert explained.model.challenger is None


async def test_text_ends_on_the_version_that_it_began_with(world: World) -> None:
    """The old one is closed after its last text."""
    await world.ask()
    async with world.runtime.residency.lease(world.tags[1]) as model:
        world.route(2)
        await until(lambda: not world.why())
        assert model.scores([[2]])
        assert await world.ask() == 2
    await until(lambda: world.state(1) == "cold")


async def test_text_that_was_routed_before_the_swap_is_routed_anew(world: World) -> None:
    """Its version is gone before it could ask for it: it is answered, by the new one."""
    await world.ask()
    long = asyncio.create_task(world.answer("good " * 1000))  # its tokens take a thread
    await asyncio.sleep(0)
    world.route(2)
    world.runtime.swap._switch("de", world.tags[2])

    assert (await long).model.version == 2


async def test_what_does_not_fit_beside_comes_after(
    narrow: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Texts wait for it, none fails, and the log has said so with the numbers."""
    await narrow.ask()
    with narrow.nothing_opens():
        narrow.route(2)
        await until(lambda: narrow.runtime.router.choose("de") == narrow.tags[2])
        waiting = [asyncio.create_task(narrow.ask(f"good {n}")) for n in range(5)]
        await asyncio.sleep(0.01)
        assert narrow.state(1) == "cold"
    assert await asyncio.gather(*waiting) == [2] * 5
    await until(lambda: narrow.swaps("gap") == 1)

    assert "does not fit beside sentiment-de:1 with 4.0 MiB" in caplog.text


async def test_old_version_is_back_where_the_new_one_fails_in_the_gap(narrow: World) -> None:
    """Texts that waited for the new one are answered by the old one."""
    await narrow.ask()
    narrow.spoil(2)
    with narrow.nothing_opens():
        narrow.route(2)
        await until(lambda: narrow.runtime.router.choose("de") == narrow.tags[2])
        waiting = [asyncio.create_task(narrow.ask(f"good {n}")) for n in range(5)]
        await asyncio.sleep(0.01)
        assert not narrow.is_free(1)
    assert await asyncio.gather(*waiting) == [1] * 5
    assert narrow.swaps("failed") == 1
    assert "can't be opened" in narrow.why()


async def test_what_can_never_fit_replaces_nothing(world: World) -> None:
    """The numbers are in the reason."""
    await world.ask()
    world.runtime.budget.limit = 100
    world.route(2)
    await until(lambda: "there is room for 100 B" in world.why())
    world.runtime.budget.limit = 2**30
    assert await world.ask() == 1


async def test_pinned_language_swaps_within_its_own_room(narrow: World) -> None:
    """Its pin is not in its own way."""
    narrow.runtime.keeper.start(["de"])
    await until(lambda: narrow.runtime.keeper.ready)
    narrow.route(2)
    await until(lambda: not narrow.why())

    assert await narrow.ask() == 2
    await until(lambda: bool(narrow.runtime.budget.pinned))
    assert narrow.runtime.residency.resident == {narrow.tags[2]}


async def test_language_that_loses_its_route_drains(world: World) -> None:
    """Who is being answered is; who comes then is told."""
    await world.ask()
    async with world.runtime.residency.lease(world.tags[1]) as model:
        write_routes(world.store, {})
        world.runtime.swap.look()
        assert model.scores([[2]])
        with pytest.raises(NothingServed):
            await world.ask("good good")
    await until(lambda: world.is_free(1))


async def test_language_that_another_model_answers_is_not_taken_by_a_broken_one(
    world: World,
) -> None:
    """Where there is no old version, the multilingual one is what answers."""
    fi = serve_tiny(world.store, "fi")["fi"]
    mul = serve_tiny(world.store, "mul")["mul"]
    world.routes = {"mul": Route(champion=mul)}
    write_routes(world.store, world.routes)
    world.runtime.swap.look()
    (world.store.path(fi) / "manifest.json").unlink()
    write_routes(world.store, world.routes | {"fi": Route(champion=fi)})
    world.runtime.swap.look()
    await until(lambda: "manifest" in getattr(world.runtime.swap.waiting("fi"), "why", ""))

    assert world.runtime.router.choose("fi") == mul


async def test_way_back_does_not_wait_for_the_way_there(world: World) -> None:
    """A rollback while the new version is still being opened is done at once."""
    await world.ask()
    with world.nothing_opens():
        world.route(2)
        await asyncio.sleep(0.01)
        world.route(1)
        assert not world.why()
        assert await world.ask() == 1
    await until(lambda: world.state(2) == "cold")


async def test_challenger_answers_its_share_once_it_is_warm(world: World) -> None:
    """The same keys each time; without a key the text decides."""
    await world.ask()
    keys = [f"user-{number}" for number in range(40)]
    with world.nothing_opens():
        world.route(1, challenger=2, share=0.5)
        assert {await world.ask(key=key) for key in keys} == {1}
    await until(lambda: not world.why())

    first = [await world.ask(f"good {number}", key) for number, key in enumerate(keys)]
    again = [await world.ask("good", key) for key in keys]
    assert first == again
    assert set(first) == {1, 2}
    assert await world.ask("good") == await world.ask("good")
    assert {await world.ask(f"good {number}") for number in range(40)} == {1, 2}


async def test_challenger_that_can_not_be_opened_costs_nobody_an_answer(world: World) -> None:
    """It does not take part; one that breaks later is stood in for."""
    await world.ask()
    world.spoil(2)
    world.route(1, challenger=2, share=1.0)
    await until(lambda: "can't be opened" in world.why())
    assert await world.ask() == 1

    world.route(1, challenger=3, share=1.0)
    await until(lambda: not world.why())
    assert await world.ask() == 3
    world.runtime.residency.evict(world.tags[3])
    world.spoil(3)
    assert (await world.answer("good bad")).model.version == 1


async def test_challenger_that_does_not_fit_beside_its_champion_waits(narrow: World) -> None:
    """They would close each other by turns."""
    await narrow.ask()
    narrow.route(1, challenger=2, share=0.5)
    await until(lambda: "do not fit into memory together" in narrow.why())

    assert narrow.state(1) == "resident"
    assert {await narrow.ask(f"good {number}") for number in range(10)} == {1}


async def test_challenger_becomes_champion(world: World) -> None:
    """It is in memory already: nothing is opened, and the old champion goes."""
    await world.ask()
    world.route(1, challenger=2, share=0.5)
    await until(lambda: not world.why())
    world.route(2)
    await until(lambda: not world.why())

    assert {await world.ask(f"good {number}") for number in range(10)} == {2}
    assert world.runtime.residency.history(world.tags[2]).loads == 1
    await until(lambda: world.is_free(1))


@pytest.mark.parametrize("memory", [ALL_MODELS, ONE_MODEL])
async def test_no_answer_is_another_versions(made: World, tmp_path: Path, memory: int) -> None:
    """While champion, challenger and share change at random, and with room for one or for all.

    No text fails; `ask` compares each answer with that of the version that it names.
    """
    world = made.copy(tmp_path / "store", memory)
    chance = random.Random(7)  # noqa: S311  (the same in each run)
    world.runtime.keeper.start([])
    answers: list[int] = []
    moving = True

    async def client(number: int) -> None:
        while moving:
            text = f"good {'film ' * chance.randrange(40)}"
            answers.append(await world.ask(text, f"user-{number}"))
            await asyncio.sleep(0.001)

    clients = [asyncio.create_task(client(number)) for number in range(8)]
    for _ in range(20):
        champion, challenger = chance.sample([1, 2, 3], 2)
        share = chance.random() if memory == ALL_MODELS else 0.0
        world.route(champion, challenger=challenger, share=share)
        if chance.random() < 0.5:
            await until(world.is_settled)
        else:
            await asyncio.sleep(0.02)
    moving = False
    await asyncio.gather(*clients)
    ways = {way: world.swaps(way) for way in ("warm", "gap")}
    world.runtime.close()

    assert set(answers) == {1, 2, 3}
    assert (ways["gap"] > 0) == (memory == ONE_MODEL)
