import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from models.identity import ModelId, Tag
from models.labels import Scores
from serving.batch import Limits
from serving.call import Call
from serving.queue import Job
from serving.scheduler import Ran, Scheduler
from tests.fakes import FakeEngine, fake_model

EN = Tag(ModelId("en", 1), "00000001")
DE = Tag(ModelId("de", 1), "00000002")


@dataclass
class Cores:
    """Two lanes over one fake model a tag; remembers what ran, and what is held."""

    engine: FakeEngine = field(default_factory=lambda: FakeEngine(seconds=0.01))
    ran: list[Ran] = field(default_factory=list)
    held: int = 0

    def __post_init__(self) -> None:
        """Start."""
        self.model = fake_model(self.engine)
        self.scheduler = Scheduler(2, Limits(16, 0.05), lambda _: self.hold(), self.ran.append)

    def hold(self) -> Callable[[], None]:
        """Count."""
        self.held += 1
        return self.let_go

    def let_go(self) -> None:
        """Count back."""
        self.held -= 1

    async def ask(self, tag: Tag, *lengths: int) -> list[Scores]:
        """Ask for texts of so many tokens at the same time."""
        loop = asyncio.get_running_loop()
        jobs = [Job([2] * length, self.model, Call(), loop.create_future()) for length in lengths]
        return await asyncio.gather(*(self.scheduler.scores(tag, job) for job in jobs))


async def test_batch_that_is_all_there_is_takes_all_cores() -> None:
    """A lone text is answered as fast as the machine can."""
    cores = Cores()
    await cores.ask(EN, 3)
    await cores.ask(EN, 3, 3)

    assert cores.engine.alone == [True, True]
    cores.scheduler.close()


async def test_where_there_is_more_each_core_runs_a_batch() -> None:
    """Two batches side by side are done sooner than one after the other on all cores."""
    cores = Cores()
    await cores.ask(EN, 16, 16, 16)

    assert cores.engine.alone[:2] == [False, False]
    cores.scheduler.close()


async def test_models_run_side_by_side() -> None:
    """So do batches of two models."""
    cores = Cores()
    await asyncio.gather(cores.ask(EN, 3), cores.ask(DE, 3))

    assert cores.engine.alone == [False, False]
    assert {ran.tag for ran in cores.ran} == {EN, DE}
    cores.scheduler.close()


async def test_model_is_held_exactly_while_it_runs() -> None:
    """Whoever asked may leave."""
    cores = Cores()
    asking = asyncio.create_task(cores.ask(EN, 3))
    await asyncio.sleep(0.003)
    asking.cancel()
    assert cores.held == 1
    await asyncio.sleep(0.05)
    assert cores.held == 0
    cores.scheduler.close()


async def test_wait_grows_with_what_waits() -> None:
    """It is nothing before the pace is known, and counts what is before one."""
    cores = Cores()
    assert cores.scheduler.wait(EN, Call().urgency, 10) == 0
    await cores.ask(EN, 16)
    alone = cores.scheduler.wait(EN, Call().urgency, 16)
    busy = asyncio.create_task(cores.ask(EN, *[16] * 8))
    await asyncio.sleep(0.003)

    assert cores.scheduler.wait(EN, Call().urgency, 16) > 3 * alone > 0
    await busy
    cores.scheduler.close()
