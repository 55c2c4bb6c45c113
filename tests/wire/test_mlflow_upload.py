from pathlib import Path
from typing import Any

import pytest

from models.certificate import Circumstances, Comparison, Rung
from models.errors import RegistryUnavailable
from models.identity import ModelId
from models.manifest import WEIGHTS, Manifest
from registry.mlflow.files import files
from registry.mlflow.source import MLflowRegistry
from registry.mlflow.text import DIGEST
from tests.tiny import write_tiny

pytestmark = [
    pytest.mark.wire,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves sockets to the collector
]


def attempts(client: Any, manifest: Manifest) -> list[Any]:  # noqa: ANN401
    """Return the LoggedModels of an artifact."""
    experiment = client.get_experiment_by_name("polysent").experiment_id
    return list(
        client.search_logged_models(
            [experiment], filter_string=f"tags.`{DIGEST}` = '{manifest.digest}'"
        )
    )


def cut(registry: MLflowRegistry, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a registration end before its weights are sent."""
    send = registry._client.log_model_artifact

    def some(model: str, _: str) -> None:
        for path in sorted(folder.iterdir()):
            if path.name != WEIGHTS:
                send(model, str(path))
        message = "the line went dead"
        raise OSError(message)

    with monkeypatch.context() as patch:
        patch.setattr(registry._client, "log_model_artifacts", some)
        with pytest.raises(RegistryUnavailable, match="the line went dead"):
            registry.register(folder, Manifest.read(folder))


def test_an_upload_that_was_cut_goes_on_where_it_was(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is there whole is not sent again, and the model that failed becomes the version."""
    manifest = write_tiny(tmp_path, "de")
    cut(registry, tmp_path, monkeypatch)
    (begun,) = attempts(client, manifest)
    sent: list[str] = []
    send = registry._client.log_model_artifact

    def noted(model: str, path: str) -> None:
        sent.append(Path(path).name)
        send(model, path)

    monkeypatch.setattr(registry._client, "log_model_artifact", noted)
    done = registry.register(tmp_path, manifest)

    assert done.new
    assert sent == [WEIGHTS, "manifest.json"]
    (model,) = attempts(client, manifest)
    assert (model.model_id, str(begun.status)) == (begun.model_id, "FAILED")
    assert str(model.status) == "READY"
    (tmp_path / "back").mkdir()
    registry.download(done.model, tmp_path / "back")
    Manifest.read(tmp_path / "back").verify(tmp_path / "back")


def test_what_other_attempts_left_is_deleted(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A killed process leaves a LoggedModel that is PENDING for ever."""
    manifest = write_tiny(tmp_path, "nl")
    cut(registry, tmp_path, monkeypatch)
    experiment = client.get_experiment_by_name("polysent").experiment_id
    client.create_logged_model(experiment, name="sentiment-nl", tags={DIGEST: manifest.digest})

    assert registry.register(tmp_path, manifest).new

    (model,) = attempts(client, manifest)
    assert str(model.status) == "READY"


def test_a_version_whose_files_are_gone_keeps_its_model(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same artifact, registered anew, does not rewrite what another version is made of."""
    manifest = write_tiny(tmp_path, "fr")
    first = registry.register(tmp_path, manifest)
    monkeypatch.setattr(registry, "_has_files", lambda _: False)

    again = registry.register(tmp_path, manifest)

    assert (again.new, again.model.version) == (True, first.model.version + 1)
    assert len(attempts(client, manifest)) == 2


def test_the_certificate_is_read_in_the_mlflow_page(
    registry: MLflowRegistry,
    client: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    """Metrics of the model, on the digest of the texts; a page of the version; code and run."""
    manifest = with_certificate(write_tiny(tmp_path, "it"))
    manifest.write(tmp_path)

    model = registry.register(tmp_path, manifest).model

    version = client.get_model_version(model.name, str(model.version))
    logged = client.get_logged_model(version.source.removeprefix("models:/"))
    metrics = {metric.key: metric for metric in logged.metrics}
    assert metrics["gate.macro_f1"].value == 0.9
    assert metrics["gate.accuracy.low"].value == 0.8
    assert metrics["gate.champion.accuracy.high"].value == 0.03
    assert metrics["gate.speed"].value == 1.7
    assert manifest.gate is not None
    assert manifest.gate.data_digest.startswith(metrics["gate.macro_f1"].dataset_digest)
    assert "| int8-dynamic | 1.0 KiB | 1.70 x | 95.00% | 0.0300 | too far off |" in (
        version.description
    )
    assert version.tags["gate.reasons"] == "none"
    run = client.get_run(version.run_id)
    assert run.data.tags["code.commit"] == version.tags["code.commit"]
    assert len(version.tags["code.commit"]) in {40, len("unknown")}


def test_equal_bytes_of_another_machine_are_the_same_version(
    registry: MLflowRegistry, tmp_path: Path
) -> None:
    """Timings are no part of what a version is."""
    manifest = write_tiny(tmp_path, "sw")
    first = registry.register(tmp_path, manifest)
    timed = with_certificate(manifest, macro_f1=None)
    timed.write(tmp_path)

    again = registry.register(tmp_path, timed)

    assert (again.model, again.new) == (ModelId("sw", 1), False) == (first.model, not first.new)


def test_an_upload_finds_its_files_again(registry: MLflowRegistry, tmp_path: Path) -> None:
    """The registry lists what was sent, with sizes, for whoever goes on."""
    manifest = write_tiny(tmp_path, "id")
    model = registry.register(tmp_path, manifest).model

    there = files(registry._client, registry._uri, model).list_artifacts()

    sizes = {file.path: file.file_size for file in there}
    assert {name: sizes[name] for name in manifest.files} == {
        name: file.size for name, file in manifest.files.items()
    }


def with_certificate(manifest: Manifest, macro_f1: float | None = 0.9) -> Manifest:
    """Return a manifest whose gate tells all that a gate can tell."""
    assert manifest.gate is not None
    champion = Comparison(
        version=1,
        digest="d" * 64,
        agreement=0.97,
        size=0.5,
        speed=1.2,
        accuracy=0.01,
        accuracy_interval=(-0.01, 0.03),
    )
    refused = Rung(
        name="int8-dynamic",
        nbytes=1024,
        speed=1.7,
        agreement=0.95,
        mean_score_change=0.03,
        reasons=("too far off",),
    )
    told = Circumstances(
        seconds=0.02, speed=1.7, champion=champion, rungs=(refused, Rung(name="fp32"))
    )
    update: dict[str, object] = {"circumstances": told}
    if macro_f1 is not None:
        update |= {"macro_f1": macro_f1, "accuracy_interval": (0.8, 0.95)}
    return manifest.model_copy(update={"gate": manifest.gate.model_copy(update=update)})
