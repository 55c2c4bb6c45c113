import asyncio
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.artifact import Model
from models.budget import Budget
from models.errors import PolysentError
from models.identity import ModelId, Tag
from models.labels import Scores
from models.residency import Residency
from models.tokens import Batch
from serving.batch import Limits
from serving.cache import Cached, Memory
from serving.call import Call, Urgency
from serving.runner import Runners
from serving.scheduler import Ran, Scheduler
from tests.fakes import fake_model

TAGS = [Tag(ModelId(language, 1), "00000001") for language in ("de", "en", "fr", "nl", "sv")]
SIZES = dict(zip(TAGS, (1, 2, 3, 4, 9), strict=True))
LIMIT = 6
POISON = 7


@dataclass
class World:
    """Opens engines that know what they may and notice when it is violated."""

    broken: set[Tag] = field(default_factory=set)
    open_bytes: int = 0
    violations: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def claims(self, tag: Tag) -> int:
        """Return what it holds: the claim is exact."""
        return SIZES[tag]

    def open(self, tag: Tag) -> Model:
        """Open, unless it is broken."""
        with self.lock:
            if tag in self.broken:
                message = "broken"
                raise OSError(message)
            self.open_bytes += SIZES[tag]
            if self.open_bytes > LIMIT:
                self.violations.append(f"{self.open_bytes} bytes open")
        return fake_model(Engine(self, tag), tag.model.language)


@dataclass
class Engine:
    """Answers a row with its number and its language's, so that a mix-up shows."""

    world: World
    tag: Tag
    closed: bool = False

    @property
    def nbytes(self) -> int:
        """Return what it holds."""
        return SIZES[self.tag]

    def run(self, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
        """Answer; a poisonous row breaks the batch."""
        del alone
        if self.closed:
            self.world.violations.append("closed while in use")
        if (batch.input_ids == POISON).any():
            message = "poison"
            raise RuntimeError(message)
        odds = [logit(self.tag, int(row[0])) for row in batch.input_ids]
        return np.array([[0.0, each] for each in odds], dtype=np.float32)

    def close(self) -> None:
        """Close, once."""
        with self.world.lock:
            if self.closed:
                self.world.violations.append("closed twice")
            self.closed = True
            self.world.open_bytes -= SIZES[self.tag]


def logit(tag: Tag, number: int) -> float:
    """Return what only this model answers to this row."""
    return (number - 500) / 250 + TAGS.index(tag) / 1000


@dataclass(frozen=True)
class Text:
    """One request: what, how urgent, how patient, and whether its client leaves."""

    tag: Tag
    number: int
    length: int
    poison: bool
    bulk: bool
    patience: float | None
    leaves: bool

    @property
    def row(self) -> list[int]:
        """Return its tokens."""
        return [self.number, *[POISON if self.poison else 3] * self.length]

    def is_answered_by(self, scores: Scores) -> bool:
        """Say whether these are its scores."""
        expected = 1 / (1 + math.exp(-logit(self.tag, self.number)))
        return abs(scores["positive"] - expected) < 1e-4


TEXTS = st.builds(
    Text,
    tag=st.sampled_from(TAGS),
    number=st.integers(10, 1000),
    length=st.integers(1, 40),
    poison=st.integers(0, 19).map(lambda one: one == 0),
    bulk=st.booleans(),
    patience=st.sampled_from([None, None, 0.0, 0.005, 1.0]),
    leaves=st.integers(0, 4).map(lambda one: one == 0),
)
DEEDS = st.tuples(
    st.sampled_from(["evict", "pin", "unpin", "break", "mend"]), st.sampled_from(TAGS)
)
SCRIPTS = st.lists(st.one_of(TEXTS, TEXTS, TEXTS, DEEDS, st.just(None)), min_size=1, max_size=60)


@dataclass
class Stage:
    """Everything that a script plays on."""

    world: World = field(default_factory=World)
    ran: list[Ran] = field(default_factory=list)
    asked: list[tuple[Text, "asyncio.Task[Scores]"]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Put it together as the service does."""
        self.budget = Budget(LIMIT)
        self.residency = Residency(self.world, self.budget)
        self.scheduler = Scheduler(2, Limits(64, 0.1), self.residency.hold, self.ran.append)
        self.runners = Runners(self.residency, self.scheduler, queue_limit=6)
        self.score = Cached(self.runners, Memory(2_000), lambda _: None)

    def ask(self, text: Text) -> None:
        """Send a text off."""
        deadline = math.inf if text.patience is None else time.monotonic() + text.patience
        call = Call(deadline, Urgency.BULK if text.bulk else Urgency.INTERACTIVE)
        task = asyncio.ensure_future(self.score(text.tag, text.row, call))
        self.asked.append((text, task))

    def do(self, deed: str, tag: Tag) -> None:
        """Interfere."""
        deeds: dict[str, Callable[[], object]] = {
            "evict": lambda: self.residency.evict(tag),
            "pin": lambda: self.residency.pin(tag),
            "unpin": lambda: self.residency.pin(tag, pinned=False),
            "break": lambda: self.world.broken.add(tag),
            "mend": lambda: self.world.broken.discard(tag),
        }
        deeds[deed]()

    async def play(self, script: list[Text | tuple[str, Tag] | None]) -> None:
        """Go through the script; None lets time pass."""
        for line in script:
            if line is None:
                await asyncio.sleep(0.002)
                for text, task in self.asked:
                    if text.leaves:
                        task.cancel()
            elif isinstance(line, Text):
                self.ask(line)
            else:
                self.do(*line)
            if self.budget.used > LIMIT:
                self.world.violations.append("budget exceeded")
        for tag in TAGS:  # what is pinned may keep others out for ever: that is its purpose
            self.do("unpin", tag)

    async def end(self) -> None:
        """Close everything."""
        self.scheduler.close()
        self.residency.close()
        for _ in range(200):
            if not self.budget.used:
                break
            await asyncio.sleep(0.005)


async def outcome(text: Text, task: "asyncio.Task[Scores]") -> str:
    """Wait for the one outcome of a request and name it."""
    try:
        async with asyncio.timeout(20):
            scores = await task
    except TimeoutError:
        return "hangs"
    except asyncio.CancelledError:
        return "left" if text.leaves else "cancelled"
    except PolysentError as error:
        return error.code
    return "ok" if text.is_answered_by(scores) else "another's answer"


EXPECTED = {
    "ok",
    "left",
    "overloaded",
    "deadline_exceeded",
    "model_unavailable",
    "model_too_large",
    "engine_failed",
}


@settings(max_examples=200, deadline=None)
@given(SCRIPTS)
def test_every_request_has_one_right_outcome(script: list[Text | tuple[str, Tag] | None]) -> None:
    """Whatever arrives, fails, leaves or is evicted.

    Each request has one outcome, and an answer is its own; nothing in use is closed, nothing is
    closed twice, the budget is never exceeded, and in the end nothing is held.
    """

    async def played() -> tuple[Stage, list[str]]:
        stage = Stage()
        await stage.play(script)
        outcomes = [await outcome(text, task) for text, task in stage.asked]
        await stage.end()
        return stage, outcomes

    stage, outcomes = asyncio.run(played())

    assert set(outcomes) <= EXPECTED
    assert not stage.world.violations
    assert stage.world.open_bytes == 0
    assert stage.budget.used == 0
    for (text, _), name in zip(stage.asked, outcomes, strict=True):
        if name == "engine_failed":
            assert text.poison
