from dataclasses import dataclass
from pathlib import Path

import pytest

from models.certificate import Circumstances, Comparison
from models.identity import ModelId
from models.labels import Label
from models.manifest import WEIGHTS, Manifest
from registry.gate.champion import contest
from registry.gate.evidence import Evidence
from registry.gate.floor import Floor
from registry.gate.verdict import reasons
from registry.promote import promote
from tests.fakes_export import EVIDENCE, FakeTools
from tests.fakes_registry import FakeRegistry
from tests.tiny import GOOD, write_tiny

ROWS: tuple[tuple[str, Label], ...] = tuple(
    (f"{word} film {n}", "positive") for word in GOOD for n in range(20)
)
LABELLED = Evidence(EVIDENCE.texts, "words", ROWS)
BARE = Circumstances()


@dataclass
class Arena:
    """A champion in a registry, and a version that wants to follow it."""

    home: Path
    registry: FakeRegistry
    tools: FakeTools

    def champion(self, sure: float) -> ModelId:
        """Register and promote a champion."""
        folder = self.home / "champion"
        self.registry.register(folder, write_tiny(folder, "de", sure=sure))
        return promote(self.registry, "de")

    def told(self, evidence: Evidence = LABELLED) -> Circumstances:
        """Return the circumstances of a new version, as good as its checkpoint."""
        trial = self.tools.trial(evidence=evidence, rungs=("fp32",))
        choice = trial.choose()
        trial.judge(choice.rung)
        return contest(trial, choice.rung, self.registry, BARE)


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    """Return an empty registry."""
    return Arena(tmp_path, FakeRegistry(), FakeTools(tmp_path))


def test_the_first_version_is_compared_with_nobody(arena: Arena) -> None:
    """Nothing is fetched."""
    assert arena.told() == BARE
    assert arena.registry.downloads == []


def test_a_champion_is_fetched_and_asked_the_same(arena: Arena) -> None:
    """Labels, accuracy, bytes and seconds, and no file of it is left."""
    arena.champion(sure=1.0)

    told = arena.told().champion

    assert isinstance(told, Comparison)
    assert (told.version, told.agreement, told.labelled) == (1, 1.0, len(ROWS))
    assert told.accuracy == 0.0
    assert told.speed > 0
    assert list(arena.home.glob("exports/de/*/champion")) == []


def test_a_version_that_is_worse_beyond_doubt_is_refused(arena: Arena) -> None:
    """The same rows, other labels: nobody has to look twice."""
    arena.champion(sure=2.0)
    arena.tools.sure["fp32"] = -2.0
    trial = arena.tools.trial(
        evidence=LABELLED, rungs=("fp32",), floor=Floor(agreement=0.0, accuracy=0.0)
    )
    rung = trial.choose().rung

    told = contest(trial, rung, arena.registry, BARE)

    gate = trial.judge(rung).model_copy(update={"circumstances": told})
    assert any("under that of version 1, the champion" in reason for reason in reasons(gate))


def test_what_can_not_be_fetched_is_no_reason_against_its_successor(arena: Arena) -> None:
    """A champion whose files are gone has to be replaced; the certificate says so."""
    arena.registry.damage[arena.champion(sure=2.0)] = lambda folder: (folder / WEIGHTS).unlink()

    told = arena.told()

    assert told.champion is None
    assert "model.bin: missing" in told.no_champion


def test_the_champion_itself_has_no_rival(arena: Arena) -> None:
    """Registering once more what serves compares nothing."""
    trial = arena.tools.trial(evidence=LABELLED, rungs=("fp32",))
    rung = trial.choose().rung
    folder = trial.work.rung(rung)
    arena.registry.register(folder, Manifest.read(folder))
    promote(arena.registry, "de")

    assert contest(trial, rung, arena.registry, BARE) == BARE


def test_the_same_champion_is_fetched_once(arena: Arena) -> None:
    """What the manifest holds already of it is taken."""
    arena.champion(sure=1.0)
    trial = arena.tools.trial(evidence=LABELLED, rungs=("fp32",))
    rung = trial.choose().rung
    told = contest(trial, rung, arena.registry, BARE)
    gate = trial.judge(rung).model_copy(update={"circumstances": told})
    trial.made[rung] = trial.made[rung].model_copy(update={"gate": gate})

    assert contest(trial, rung, arena.registry, BARE) == told
    assert len(arena.registry.downloads) == 1
