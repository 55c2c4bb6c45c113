import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import mlflow
from cli.main import app
from models.identity import ModelId, Tag
from models.settings import Settings
from models.store import Store
from registry.source import Registry
from registry.syncing.journal import Journal, Move
from tests.fakes_registry import FakeRegistry
from tests.tiny import serve_tiny

RUN = CliRunner(env={"COLUMNS": "200"})
Polysent = Callable[..., Result]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tag:
    """Return what the store of this machine serves."""
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    return serve_tiny(Store(tmp_path), "de", version=2)["de"]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, served: Tag) -> FakeRegistry:
    """Return the registry that the commands use."""
    registry = FakeRegistry()
    tags = {"manifest.digest": served.digest * 8, "gate.agreement": "0.995", "gate.texts": "240"}
    for version in (1, 2):
        registry.folders[ModelId("de", version)] = tmp_path
        registry.note(ModelId("de", version), tags)
    registry.note(served.model, {"serving.state": "served", "promotion.by": "anna"})

    def ours(_: Settings) -> Registry:
        return registry

    monkeypatch.setattr(mlflow, "registry", ours)
    return registry


@pytest.fixture
def moved(tmp_path: Path) -> None:
    """Journal two moves of German and one of French."""
    journal = Journal.of(Store(tmp_path))
    journal.append(Move(1_700_000_000.0, "de", "champion", 0, 1, evidence="aaaaaaaa"))
    journal.append(Move(1_700_000_001.0, "fr", "champion", 0, 7))
    journal.append(Move(1_700_000_060.0, "de", "champion", 1, 2, "anna", "bbbbbbbb"))


def asked(*words: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of `polysent registry`."""
    answer = RUN.invoke(app, ["registry", *words])
    return answer.exit_code, answer.stdout, answer.stderr


@pytest.mark.usefixtures("registry", "moved")
def test_history_is_told_newest_first() -> None:
    """Who moved what, from where to where, beside what MLflow says of the versions."""
    code, out, _ = asked("history", "DE")

    lines = [" ".join(line.split()) for line in out.splitlines()]
    moves = [line for line in lines if "2023-11-14" in line]
    assert code == 0
    assert moves == [
        "2023-11-14T22:14:20+00:00 champion 1 2 anna bbbbbbbb",
        "2023-11-14T22:13:20+00:00 champion - 1 unknown (MLflow page or API) aaaaaaaa",
    ]
    assert "2 1970-01-01T00:00:00+00:00 passed: as fp32 on 99.5% of 240 texts served anna" in lines


@pytest.mark.usefixtures("registry", "moved")
def test_history_for_a_script() -> None:
    """One document; what is unknown is null."""
    _, out, _ = asked("history", "de", "--json")

    told = json.loads(out)
    assert [(move["from"], move["to"]) for move in told["moves"]] == [(1, 2), (None, 1)]
    assert [version["version"] for version in told["versions"]] == [2, 1]
    assert told["versions"][1]["state"] is None


@pytest.mark.usefixtures("moved")
def test_history_needs_no_registry(registry: FakeRegistry) -> None:
    """The journal is here; that MLflow is away is said beside it."""
    registry.away = True

    code, out, err = asked("history", "de")

    assert code == 0
    assert "bbbbbbbb" in out
    assert "MLflow does not answer" in err


@pytest.mark.usefixtures("registry")
def test_history_of_nothing() -> None:
    """Is no error."""
    assert asked("history", "fi")[:2] == (
        0,
        "Moves of fi in this store: none\nVersions of fi in MLflow: none\n",
    )


@pytest.mark.usefixtures("registry")
def test_lineage_for_a_script(served: Tag) -> None:
    """Every link of the chain; what nobody knows is said to be unknown."""
    _, out, _ = asked("lineage", "de", "--json")

    told = json.loads(out)
    assert list(told) == ["answer", "version", "artifact", "run", "data", "gate", "code"]
    assert told["answer"] == {"name": "sentiment-de", "version": 2}
    assert told["version"]["promoted_by"] == "anna"
    assert told["artifact"]["tag"] == str(served)
    assert told["data"] == {"digest": "0" * 64}
    assert told["gate"]["agreement"] == 1.0
    assert told["code"] == {"commit": "unknown"}


@pytest.mark.usefixtures("registry")
def test_lineage_is_a_table_for_people() -> None:
    """Files that are not those that were registered are shouted."""
    code, out, _ = asked("lineage", "sentiment-de:2")

    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert "answer name sentiment-de" in lines
    assert "as registered NO" in lines


@pytest.mark.usefixtures("registry")
def test_lineage_of_what_is_no_subject() -> None:
    """Exit code 2: nothing was looked up."""
    code, _, err = asked("lineage", "de:three")

    assert code == 2
    assert "'three' is no version number" in err
