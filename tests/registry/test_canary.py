from pathlib import Path

import pytest

from models.errors import GateRefused, RegistryError
from models.identity import ModelId
from registry.canary import canary, end, settle, share
from registry.mlflow.text import DIGEST
from registry.promote import promote
from tests.fakes_registry import FakeRegistry


@pytest.fixture
def registry() -> FakeRegistry:
    """Return a registry with three gated versions, the first of which is champion."""
    registry = FakeRegistry()
    for version in (1, 2, 3):
        registry.folders[ModelId("de", version)] = Path()
        registry.note(ModelId("de", version), {DIGEST: "d" * 64})
    promote(registry, "de", 1)
    return registry


@pytest.mark.parametrize(
    ("spelled", "part"),
    [
        ("10%", 0.1),
        ("0.1", 0.1),
        (".5", 0.5),
        (" 2.5 % ", 0.025),
        ("100%", 1.0),
        ("0", 0.0),
        ("0%", 0.0),
    ],
)
def test_share(spelled: str, part: float) -> None:
    """A percentage, or a part of one."""
    assert share(spelled) == part


@pytest.mark.parametrize(
    ("spelled", "problem"),
    [
        ("ten", "no share such as 10% or 0.1"),
        ("-5%", "no share"),
        ("nan", "no share"),
        ("", "no share"),
        ("10", "write 10% or a part below 1"),
        ("1", "write 1% or a part below 1"),
        ("101%", "more than all requests"),
    ],
)
def test_wrong_share(spelled: str, problem: str) -> None:
    """What could mean two things means neither."""
    with pytest.raises(ValueError, match=problem):
        share(spelled)


def test_the_newest_version_challenges(registry: FakeRegistry) -> None:
    """The next call changes its share, and no newer version slips in."""
    assert canary(registry, "DE", 0.1, version=2, shadow=False) == ModelId("de", 2)
    assert canary(registry, "de", 0.25, shadow=True) == ModelId("de", 2)
    named = registry.aliases()["de"]

    assert named.champion is not None
    assert named.champion.model == ModelId("de", 1)
    assert registry.named["de", "challenger"] == ModelId("de", 2)
    assert (named.share, named.shadow) == (0.25, True)
    assert registry.tags[ModelId("de", 2)]["promotion.alias"] == "challenger"

    end(registry, "de")
    assert canary(registry, "de", 0.1, shadow=False) == ModelId("de", 3)


def test_a_share_is_there_before_its_challenger(registry: FakeRegistry) -> None:
    """A sync in between must not give a new challenger what the last one had."""
    seen: list[tuple[float, bool]] = []

    class Watching(FakeRegistry):
        """Looks at the share when the alias moves."""

        def promote(self, model: ModelId, alias: object) -> None:
            """Note the share."""
            assert alias == "challenger"
            seen.append(self.splits[model.language])

    watching = Watching(registry.folders, named=registry.named, tags=registry.tags)
    watching.splits["de"] = (0.9, False)

    canary(watching, "de", 0.1, shadow=False)

    assert seen == [(0.1, False)]


def test_an_end_leaves_no_share_behind(registry: FakeRegistry) -> None:
    """Neither for the challenger that someone names in the MLflow UI next."""
    canary(registry, "de", 0.1, shadow=True)

    end(registry, "de")
    end(registry, "de")

    named = registry.aliases()["de"]
    assert (named.challenger, named.share, named.shadow) == (None, 0.0, False)
    assert registry.tags[ModelId("de", 3)]["promotion.alias"] == "none"


def test_a_challenger_that_wins_challenges_no_more(registry: FakeRegistry) -> None:
    """Its share would come back against the champion after it; others go on."""
    canary(registry, "de", 0.1, version=2, shadow=False)
    assert not settle(registry, registry.aliases()["de"])
    promote(registry, "de", 2)

    assert settle(registry, registry.aliases()["de"])

    assert registry.named == {("de", "champion"): ModelId("de", 2)}
    assert registry.splits["de"] == (0.0, False)
    assert registry.tags[ModelId("de", 2)]["promotion.alias"] == "champion"


def test_what_can_not_challenge_is_refused(registry: FakeRegistry) -> None:
    """The champion itself, a language without one, a version without a gate; nothing changes."""
    registry.folders[ModelId("de", 4)] = Path()

    with pytest.raises(RegistryError, match="sentiment-de:1 is champion already"):
        canary(registry, "de", 0.1, version=1, shadow=False)
    with pytest.raises(RegistryError, match="sentiment-fr has no champion"):
        canary(registry, "fr", 0.1, shadow=False)
    with pytest.raises(GateRefused, match="past the gate"):
        canary(registry, "de", 0.1, shadow=False)

    assert registry.splits == {}
    assert registry.named == {("de", "champion"): ModelId("de", 1)}
