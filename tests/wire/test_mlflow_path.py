import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.errors import RegistryUnavailable
from models.identity import ModelId
from models.manifest import Manifest
from models.routes import Routes
from models.store import Store
from registry.candidate import Candidate
from registry.card import Card
from registry.gate.evidence import Evidence
from registry.gate.floor import Floor
from registry.mlflow.source import MLflowRegistry
from registry.mlflow.text import digest_tag
from registry.promote import promote
from registry.quiet import quiet
from registry.register import register
from registry.source import champions
from registry.syncing.sync import sync
from tests.registry.conftest import WORDS, write_checkpoint
from tests.tiny import write_tiny
from tests.wire.conftest import free_port

pytestmark = [
    pytest.mark.wire,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves sockets to the collector
]
TEXTS = tuple(f"{one} {two} {three}" for one in WORDS for two in WORDS for three in ("good", "bad"))


def put(registry: MLflowRegistry, folder: Path, language: str, sure: float = 2.0) -> ModelId:
    """Register and promote a tiny artifact."""
    model = registry.register(folder, write_tiny(folder, language, sure=sure)).model
    return promote(registry, language, model.version)


def test_a_checkpoint_goes_the_whole_way(
    registry: MLflowRegistry,
    server: str,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    """Checkpoint, version, alias, store, and then read by BentoML and by MLflow's loader."""
    write_checkpoint("bert", tmp_path / "checkpoint")
    candidate = Candidate(
        str(tmp_path / "checkpoint"),
        Card("de", licence="MIT", training_data_digest="d" * 64),
        Evidence(TEXTS, "a dozen words"),
        floor=Floor(agreement=0.9),
    )
    store = Store(tmp_path / "bentoml")

    done = register(candidate, registry, tmp_path / "exports")
    again = register(candidate, registry, tmp_path / "exports")
    promote(registry, "de")
    report = sync(registry, store)

    assert done.new
    assert again == replace(done, new=False)
    (tag,) = report.synced
    assert Manifest.read(store.path(tag)).digest == done.digest
    assert Routes.read(store.routes).languages["de"].champion == tag
    _check_what_a_person_sees(client, Manifest.read(store.path(tag)))
    with quiet():
        import bentoml.models  # noqa: PLC0415
        import mlflow  # noqa: PLC0415
        import pandas as pd  # noqa: PLC0415
        from bentoml._internal.models import ModelStore  # noqa: PLC0415

        theirs = bentoml.models.get(str(tag), _model_store=ModelStore(store.home / "models"))
        mlflow.set_tracking_uri(server)
        loaded = mlflow.pyfunc.load_model("models:/sentiment-de@champion")
        (answer,) = loaded.predict(pd.DataFrame({"text": ["good food"]}))
        mlflow.set_tracking_uri("")

    assert Path(theirs.path) == store.path(tag)
    assert answer["label"] in {"negative", "positive"}


def _check_what_a_person_sees(client: Any, manifest: Manifest) -> None:  # noqa: ANN401
    """Version tags, aliases, and metrics linked to the data that they were taken on."""
    version = client.get_model_version_by_alias("sentiment-de", "champion")
    assert manifest.gate is not None
    assert version.tags["manifest.digest"] == manifest.digest
    assert version.tags["training_data_digest"] == "d" * 64
    assert version.tags["licence"] == "MIT"
    assert version.tags["precision"] == manifest.precision
    assert float(version.tags["gate.agreement"]) == pytest.approx(manifest.gate.agreement)
    assert version.tags["serving.state"] == "served"
    logged = client.get_logged_model(version.source.removeprefix("models:/"))
    metrics = {metric.key: metric for metric in logged.metrics}
    assert metrics["gate.agreement"].value == pytest.approx(manifest.gate.agreement)
    assert manifest.gate.data_digest.startswith(metrics["gate.agreement"].dataset_digest)


def test_a_cut_upload_registers_nothing(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The version is made last; the next attempt uploads anew and succeeds."""
    manifest = write_tiny(tmp_path / "nl", "nl")

    def cut(*_: object, **__: object) -> None:
        message = "the line went dead"
        raise OSError(message)

    with monkeypatch.context() as patch:
        patch.setattr(registry._client, "log_model_artifacts", cut)
        with pytest.raises(RegistryUnavailable, match="the line went dead"):
            registry.register(tmp_path / "nl", manifest)

    assert registry.versions("nl") == []
    assert client.search_model_versions("name='sentiment-nl'") == []
    assert registry.register(tmp_path / "nl", manifest).new


def test_a_champion_whose_files_are_gone_is_told_so(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    mlflow_home: Path,
    tmp_path: Path,
) -> None:
    """MLflow answers with an empty folder; the language keeps its route, the version says why."""
    store = Store(tmp_path / "bentoml")
    old = put(registry, tmp_path / "one", "fr")
    sync(registry, store)
    bad = put(registry, tmp_path / "two", "fr", sure=3.0)
    version = client.get_model_version(bad.name, str(bad.version))
    logged = version.source.removeprefix("models:/")
    shutil.rmtree(next(mlflow_home.glob(f"mlflow/artifacts/**/{logged}/artifacts")))

    report = sync(registry, store)

    assert bad in [failure.model for failure in report.failed]
    assert Routes.read(store.routes).languages["fr"].champion.model == old
    tags = client.get_model_version(bad.name, str(bad.version)).tags
    assert tags["serving.state"] == "failed"
    assert "manifest.json" in tags["serving.error"]
    anew = put(registry, tmp_path / "two", "fr", sure=3.0)
    assert anew.version == bad.version + 1
    assert sync(registry, store).failed == ()


def test_a_digest_that_a_kill_kept_from_being_noted_is_found(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    """The version tells it itself; registering the artifact once more notes it."""
    model = put(registry, tmp_path / "sw", "sw")
    digest = champions(registry)["sw"].digest
    client.delete_registered_model_tag(model.name, digest_tag(model.version))

    assert champions(registry)["sw"].digest == digest is not None

    registry.register(tmp_path / "sw", Manifest.read(tmp_path / "sw"))
    assert client.get_registered_model(model.name).tags[digest_tag(model.version)] == digest


def test_a_sync_with_nothing_to_do_asks_once(
    registry: MLflowRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is downloaded or tagged, whatever else is in the registry."""
    store = Store(tmp_path / "bentoml")
    put(registry, tmp_path / "id", "id")
    first = sync(registry, store)
    asked: list[str] = []

    def counted(self: object, *arguments: object, **options: object) -> object:
        asked.append(str(arguments[0]))
        return search(self, *arguments, **options)

    client = type(registry._client)
    search = client.search_registered_models
    monkeypatch.setattr(client, "search_registered_models", counted)
    for other in ("get_model_version", "get_logged_model", "set_model_version_tag"):
        monkeypatch.setattr(client, other, None)

    report = sync(registry, store)

    assert first.failed == report.failed == ()
    assert "id" in {tag.model.language for tag in report.unchanged}
    assert report.nbytes == 0
    assert asked == ["name LIKE 'sentiment-%'"]


def test_a_server_that_is_away_is_said_in_a_sentence() -> None:
    """No stack of retries for minutes, and no password in the message."""
    away = MLflowRegistry(f"http://someone:secret@127.0.0.1:{free_port()}")

    with pytest.raises(RegistryUnavailable, match="could not list the champions") as error:
        away.aliases()

    assert "secret" not in str(error.value)


def test_a_version_that_does_not_exist_is_not_promoted(registry: MLflowRegistry) -> None:
    """The alias stays where it was."""
    with pytest.raises(RegistryUnavailable, match="sentiment-de:99"):
        promote(registry, "de", 99)
