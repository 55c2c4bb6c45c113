"""Poison texts and clients that leave, against a service whose engine writes down what it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from benchmarks import bare
from benchmarks.engine_log import digest, first_runs
from benchmarks.fleet import Fleet
from benchmarks.measure import SATURATING, Measuring
from benchmarks.results import Claim
from benchmarks.server import UNCACHED, serving
from benchmarks.traffic import LEFT, OK, Plan, Question, Traffic

POISON = "鬱"
"""One piece of the tokenizer, in none of the texts."""
POISONED, LEAVING = 0.01, 0.2
NOTICED = 0.05
"""Seconds that may pass until the service knows that a client has left."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What came of one run."""

    traffic: Traffic
    poisoned: frozenset[int]
    runs: Mapping[str, float]
    """When each row was first given to the engine."""
    rows: Mapping[int, str]
    descriptors: int
    """Open files after, less those before."""

    @property
    def neighbours_failed(self) -> int:
        """Texts without poison whose client stayed and got no answer."""
        return sum(
            r.status not in {OK, LEFT} for r in self.traffic.records if r.index not in self.poisoned
        )

    @property
    def poison_answered(self) -> int:
        """Texts with poison that were answered all the same."""
        return sum(r.status == OK for r in self.traffic.records if r.index in self.poisoned)

    @property
    def left(self) -> int:
        """Requests whose client left."""
        return sum(r.status == LEFT for r in self.traffic.records)

    @property
    def computed_in_vain(self) -> int:
        """Rows that were given to the engine after their client had left."""
        return sum(
            self.runs.get(self.rows[r.index], 0.0) > r.done + NOTICED
            for r in self.traffic.records
            if r.status == LEFT
        )

    @property
    def spared(self) -> int:
        """Rows that were never computed because their client left."""
        return sum(
            r.status == LEFT and self.rows[r.index] not in self.runs for r in self.traffic.records
        )


def provoke(models: Fleet, measuring: Measuring) -> Faults:
    """Run it."""
    options = measuring.options
    folder = options.home / "benchmarks"
    log = folder / "logs" / "engine.ndjson"
    log.unlink(missing_ok=True)
    token = bare.encode(models.folder("en"), [POISON])[0][-2]
    environment = {"POISON_LOG": str(log), "POISON_TOKEN": str(token)}
    target = "benchmarks.poisoned:Polysent"
    with serving(models, folder, target=target, **UNCACHED, **environment) as service:
        measuring.warm(service, ["en"])
        capacity = measuring.capacity(service, ["en"])
        before = service.process.descriptors
        questions = measuring.questions(["en"], measuring.enough(1.3 * capacity))
        asked, poisoned = with_poison(questions)
        plan = Plan(
            service.url,
            options.seconds,
            clients=SATURATING,
            leaving=LEAVING,
            leaving_within=SATURATING / capacity,
        )
        traffic = measuring.carry_out(plan, asked)
        after = service.process.descriptors
    rows = bare.encode(models.folder("en"), [question.text for question in asked])
    names = {index: digest(row) for index, row in enumerate(rows)}
    return Faults(traffic, poisoned, first_runs(log), names, after - before)


def with_poison(questions: list[Question]) -> tuple[list[Question], frozenset[int]]:
    """Put the marker into a share of the texts; return which."""
    chance = Random("poison")  # noqa: S311
    poisoned = frozenset(i for i in range(len(questions)) if chance.random() < POISONED)
    asked = [
        replace(question, text=f"{POISON} {question.text}") if index in poisoned else question
        for index, question in enumerate(questions)
    ]
    return asked, poisoned


def claims(found: Faults) -> tuple[Claim, ...]:
    """Return what is held against the targets."""
    return (
        Claim("neighbours of poison that failed", (found.neighbours_failed,), "at most", 0),
        Claim("poison answered", (found.poison_answered,), "at most", 0),
        Claim("computed for who had left", (found.computed_in_vain,), "at most", 0),
        Claim("file descriptors more after clients left", (found.descriptors,), "at most", 2),
    )


def beside(found: Faults) -> dict[str, Any]:
    """Return what is worth knowing beside."""
    return {
        "outcomes with poison and leaving clients": found.traffic.outcomes,
        "poison texts": len(found.poisoned & {r.index for r in found.traffic.records}),
        "requests whose client left": found.left,
        "of these never computed": found.spared,
    }
