"""Promotion, canary, rollback and lineage on a real MLflow server, with a real store."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from models.errors import GateRefused, RegistryUnavailable
from models.identity import ModelId
from models.routes import Route, Routes
from models.store import Store
from registry.actor import actor
from registry.canary import canary, end
from registry.lineage import lineage
from registry.mlflow.source import MLflowRegistry
from registry.promote import eligible, promote
from registry.rollback import Step, rollback
from registry.syncing.journal import Journal
from registry.syncing.sync import sync
from tests.tiny import write_tiny
from tests.wire.conftest import free_port

pytestmark = [
    pytest.mark.wire,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves sockets to the collector
]


def register(registry: MLflowRegistry, folder: Path, language: str, versions: int) -> None:
    """Register so many different tiny artifacts of a language."""
    for version in range(1, versions + 1):
        place = folder / f"{language}{version}"
        registry.register(place, write_tiny(place, language, sure=float(version)))


def route(store: Store, language: str) -> Route:
    """Return what the service would do now."""
    return Routes.read(store.routes).languages[language]


def test_a_promotion_says_who_made_it(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the version, where the UI shows it, and in the journal of every store."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anna")
    register(registry, tmp_path, "de", 2)

    promote(registry, "de", eligible(registry, "de", 1).version)
    sync(registry, store)

    version = client.get_model_version_by_alias("sentiment-de", "champion")
    (move,) = Journal.of(store).moves("de")
    assert version.tags["promotion.by"] == "anna"
    assert version.tags["promotion.alias"] == "champion"
    assert (move.before, move.after, move.who) == (0, 1, "anna")


def test_a_rollback_is_one_step(registry: MLflowRegistry, store: Store, tmp_path: Path) -> None:
    """By the journal of the store; from another machine, by the tags of the versions."""
    register(registry, tmp_path, "fr", 3)
    for version in (1, 2, 3):
        promote(registry, "fr", version)
        sync(registry, store)

    step = rollback(registry, Journal.of(store), "fr")
    assert sync(registry, store).nbytes == 0  # it is on the disk still
    assert step == Step(3, ModelId("fr", 2))
    assert route(store, "fr").champion.model == ModelId("fr", 2)

    elsewhere = Journal.of(Store(tmp_path / "elsewhere"))
    assert rollback(registry, elsewhere, "fr") == Step(2, ModelId("fr", 3))


def test_a_version_that_is_deleted_is_no_way_back(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    store: Store,
    tmp_path: Path,
) -> None:
    """The champion stays."""
    register(registry, tmp_path, "sv", 2)
    for version in (1, 2):
        promote(registry, "sv", version)
        sync(registry, store)
    client.delete_model_version("sentiment-sv", "1")

    with pytest.raises(RegistryUnavailable, match=r"no sentiment-sv:1; .* versions: 2"):
        rollback(registry, Journal.of(store), "sv")

    assert client.get_model_version_by_alias("sentiment-sv", "champion").version == "2"


def test_a_canary_reaches_the_routes_and_leaves_them(
    registry: MLflowRegistry, store: Store, tmp_path: Path
) -> None:
    """Share and shadow with it; its end leaves the champion alone."""
    register(registry, tmp_path, "nl", 2)
    promote(registry, "nl", 1)
    sync(registry, store)

    canary(registry, "nl", 0.1, shadow=True)
    sync(registry, store)
    split = route(store, "nl")
    canary(registry, "nl", 0.2, shadow=True)
    sync(registry, store)
    end(registry, "nl")
    sync(registry, store)

    assert split.challenger is not None
    assert split.challenger.model == ModelId("nl", 2)
    assert (split.share, split.shadow) == (0.1, True)
    assert route(store, "nl") == Route(champion=split.champion)
    challenges = [move for move in Journal.of(store).moves("nl") if move.alias == "challenger"]
    shares = [(move.after, move.share) for move in challenges]
    assert shares == [(2, 0.1), (2, 0.2), (0, 0.0)]
    assert {move.who for move in challenges[:2]} == {actor()}


def test_what_was_made_past_the_gate_is_not_promoted(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    """A version of the same files, made in the MLflow UI, has no certificate of its own."""
    register(registry, tmp_path, "it", 1)
    source = client.get_model_version("sentiment-it", "1").source
    logged = source.removeprefix("models:/")
    client.create_model_version(
        "sentiment-it", source=source, model_id=logged, await_creation_for=0
    )

    with pytest.raises(GateRefused, match="past the gate"):
        eligible(registry, "it")


def test_an_alias_that_looks_like_ours_is_pointed_out(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MLflow keeps `Champion` beside `champion`; only one of them does anything."""
    register(registry, tmp_path, "pl", 2)
    client.set_registered_model_alias("sentiment-pl", "Champion", "2")
    monkeypatch.setenv("POLYSENT_MLFLOW_URI", server)
    monkeypatch.setenv("POLYSENT_SYNC_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))

    answer = CliRunner().invoke(app, ["registry", "promote", "pl", "--version", "1"])

    assert answer.exit_code == 0
    assert "alias 'Champion' is none of champion, challenger" in " ".join(answer.stderr.split())
    assert client.get_model_version_by_alias("sentiment-pl", "champion").version == "1"


def test_an_answer_leads_to_its_run(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    store: Store,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Answer, version, artifact, run, data: each link is what MLflow knows by that name."""
    register(registry, store.home.parent, "fi", 1)
    promote(registry, "fi", 1)
    sync(registry, store)
    monkeypatch.setenv("POLYSENT_MLFLOW_URI", server)
    monkeypatch.setenv("BENTOML_HOME", str(store.home))

    found = lineage(registry, store, "sentiment-fi:1")
    answer = CliRunner().invoke(app, ["registry", "lineage", "fi", "--json"])

    told = json.loads(answer.stdout)
    assert found.genuine is True
    assert client.get_run(found.run).info.run_name == "register sentiment-fi"
    assert told["run"]["id"] == found.run
    assert told["artifact"]["tag"] == str(route(store, "fi").champion)
    assert told["version"]["state"] == "served"
    assert told["data"]["digest"] == "0" * 64
