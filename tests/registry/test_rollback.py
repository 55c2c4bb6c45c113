from collections.abc import Sequence
from pathlib import Path

import pytest

from models.errors import GateRefused, RegistryError, RegistryUnavailable
from models.identity import ModelId
from models.store import Store
from registry.mlflow.text import DIGEST
from registry.promote import promote
from registry.rollback import Step, previous, rollback
from registry.source import Alias, Version
from registry.syncing.journal import Journal, Move
from tests.fakes_registry import FakeRegistry


def moves(*steps: tuple[int, int], alias: Alias = "champion") -> list[Move]:
    """Return moves of German, from and to."""
    return [Move(at, "de", alias, *step) for at, step in enumerate(steps)]


def replaced(*told: tuple[int, str]) -> list[Version]:
    """Return versions, newest first, that lost their route at these moments."""
    tags = [{"serving.state": "replaced", "serving.at": at} for _, at in told]
    named = zip(told, tags, strict=True)
    return [Version(ModelId("de", version), 0.0, tags) for (version, _), tags in named]


@pytest.fixture
def registry() -> FakeRegistry:
    """Return a registry with three gated versions, the third of which is champion."""
    registry = FakeRegistry()
    for version in (1, 2, 3):
        registry.folders[ModelId("de", version)] = Path()
        registry.note(ModelId("de", version), {DIGEST: "d" * 64})
    promote(registry, "de", 3)
    return registry


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return an empty journal."""
    return Journal.of(Store(tmp_path))


@pytest.mark.parametrize(
    ("now", "journal", "versions", "before"),
    [
        (2, moves((0, 1), (1, 2)), [], 1),
        (1, moves((0, 1), (1, 2), (2, 1)), [], 2),
        (1, moves((0, 1)), [], 0),
        (3, moves((0, 1), (1, 2)), [], 2),
        (0, moves((0, 1), (1, 0)), [], 1),
        (1, moves((0, 1), (1, 0)), [], 0),
        (1, moves((0, 1)) + moves((0, 2), alias="challenger"), [], 0),
        (3, [], replaced((2, "2026-11-22T07:00:00"), (1, "2026-11-22T08:00:00")), 1),
        (3, moves((0, 3)), replaced((2, ""), (1, "")), 2),
        (1, [], replaced((1, "2026-11-22T08:00:00")), 0),
        (1, [], [Version(ModelId("de", 2), 0.0, {"serving.state": "failed"})], 0),
    ],
)
def test_previous(now: int, journal: list[Move], versions: Sequence[Version], before: int) -> None:
    """The champion before, by the journal, else by the tags; an alias not synced yet counts."""
    assert previous(now, journal, versions) == before


def test_a_step_back_moves_the_alias(registry: FakeRegistry, journal: Journal) -> None:
    """And says who did it; the second one is back where the first began."""
    for move in moves((0, 2), (2, 3)):
        journal.append(move)

    step = rollback(registry, journal, "DE")

    assert step == Step(3, ModelId("de", 2))
    assert registry.named["de", "champion"] == ModelId("de", 2)
    assert registry.tags[ModelId("de", 2)]["promotion.by"]
    assert rollback(registry, journal, "de") == Step(2, ModelId("de", 3))


def test_a_named_version_needs_no_journal(registry: FakeRegistry, journal: Journal) -> None:
    """It may lie further back."""
    assert rollback(registry, journal, "de", to=1) == Step(3, ModelId("de", 1))


def test_without_an_earlier_champion_nothing_moves(
    registry: FakeRegistry, journal: Journal
) -> None:
    """Neither is the present one promoted again; both are said."""
    with pytest.raises(RegistryError, match=r"no champion of|know a champion of sentiment-de"):
        rollback(registry, journal, "de")
    with pytest.raises(RegistryError, match="sentiment-de:3 is champion already"):
        rollback(registry, journal, "de", to=3)

    assert registry.named == {("de", "champion"): ModelId("de", 3)}


def test_a_version_that_is_gone_or_refused_is_no_way_back(
    registry: FakeRegistry, journal: Journal
) -> None:
    """The alias stays; what is there instead is named."""
    journal.append(moves((2, 3))[0])
    registry.note(ModelId("de", 1), {"gate.reasons": "accuracy falls"})
    del registry.folders[ModelId("de", 2)]

    with pytest.raises(RegistryUnavailable, match=r"no sentiment-de:2; .* versions: 1, 3"):
        rollback(registry, journal, "de")
    with pytest.raises(GateRefused, match="accuracy falls"):
        rollback(registry, journal, "de", to=1)

    assert registry.named == {("de", "champion"): ModelId("de", 3)}
