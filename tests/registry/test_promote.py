import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.errors import GateRefused, RegistryUnavailable
from models.identity import ModelId
from registry.actor import actor
from registry.mlflow.text import DIGEST
from registry.promote import REASONS, eligible, misspelt, promote, refusal
from registry.source import Alias
from tests.fakes_registry import FakeRegistry


@pytest.fixture
def registry() -> FakeRegistry:
    """Return a registry with two gated versions of German, and a third that nobody gated."""
    registry = FakeRegistry()
    for version in (1, 2, 3):
        registry.folders[ModelId("de", version)] = Path()
    for version in (1, 2):
        registry.note(ModelId("de", version), {DIGEST: "d" * 64})
    return registry


def test_who_promotes_is_written_first(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync finds it when the alias moves; nothing is promoted where it can't be written."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anna")

    class Forgetful(FakeRegistry):
        """Takes no tags."""

        def note(self, model: ModelId, tags: object) -> None:
            """Be away."""
            message = f"{model} takes no {tags}"
            raise RegistryUnavailable(message)

    promote(registry, "de", 2)

    tags = registry.tags[ModelId("de", 2)]
    assert (tags["promotion.by"], tags["promotion.alias"]) == ("anna", "champion")
    assert datetime.now(UTC) - datetime.fromisoformat(tags["promotion.at"]) < timedelta(minutes=1)
    assert registry.named == {("de", "champion"): ModelId("de", 2)}
    forgetful = Forgetful(folders=registry.folders)
    with pytest.raises(RegistryUnavailable):
        promote(forgetful, "de", 2)
    assert forgetful.named == {}


def test_the_newest_version_is_promoted_where_none_is_named(registry: FakeRegistry) -> None:
    """Whatever its spelling, the language is one."""
    assert promote(registry, "DE") == ModelId("de", 3)
    with pytest.raises(RegistryUnavailable, match="sentiment-fr has no version yet"):
        promote(registry, "fr")


@pytest.mark.parametrize(
    ("alias", "meant"),
    [
        ("Champion", "did you mean champion?"),
        ("chmapion", "did you mean champion?"),
        ("Chalenger", "did you mean challenger?"),
        ("prod", "is none of champion, challenger"),
    ],
)
def test_a_mistyped_alias_is_pointed_out(registry: FakeRegistry, alias: Alias, meant: str) -> None:
    """MLflow would take it, and it would do nothing."""
    with pytest.raises(ValueError, match=repr(alias)) as error:
        promote(registry, "de", 2, alias)

    assert str(error.value) == misspelt(alias)
    assert str(error.value).endswith(meant)
    assert registry.named == {}


def test_what_the_gate_has_not_seen_is_not_eligible(registry: FakeRegistry) -> None:
    """A version that somebody made in the MLflow UI, for one; the newest is no exception."""
    for version in (3, None):
        with pytest.raises(GateRefused, match="made past the gate"):
            eligible(registry, "de", version)

    assert eligible(registry, "DE", 1) == ModelId("de", 1)


def test_what_the_gate_refuses_is_not_eligible(registry: FakeRegistry) -> None:
    """Each of its reasons is said."""
    registry.note(ModelId("de", 2), {REASONS: "accuracy falls; it is slow"})

    with pytest.raises(GateRefused) as error:
        eligible(registry, "de", 2)

    assert error.value.reasons == ("accuracy falls", "it is slow")
    assert refusal({DIGEST: "d", REASONS: "none"}) == ()


def test_a_missing_version_is_told_with_those_that_are_there(registry: FakeRegistry) -> None:
    """A typo is mended without a look at the MLflow UI."""
    with pytest.raises(RegistryUnavailable, match=r"no sentiment-de:9; .* versions: 1, 2, 3"):
        eligible(registry, "de", 9)


def test_an_actor_is_the_name_that_mlflow_knows() -> None:
    """Else the user, and the machine that the command ran on."""
    assert actor({"MLFLOW_TRACKING_USERNAME": "anna"}) == "anna"
    user, _, host = actor({}).partition("@")
    assert user
    assert host == socket.gethostname()


def test_an_actor_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user is in no passwd file."""

    def nameless() -> str:
        message = "getpwuid(): uid not found: 1234"
        raise KeyError(message)

    monkeypatch.setattr("getpass.getuser", nameless)

    assert actor({}).partition("@")[0].isdecimal()
