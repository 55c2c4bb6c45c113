"""An artifact uploaded to MLflow as a LoggedModel."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.identity import registered_name
from models.manifest import NAME, Manifest
from registry.commit import code_commit
from registry.mlflow.files import repository
from registry.mlflow.text import COMMIT, DIGEST, figures, model_params

EXPERIMENT = "polysent"
_DATASET_DIGEST = 32
"""Characters of a data digest: MLflow's column takes 36."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A LoggedModel that is READY, and the run that made it."""

    model: str
    run: str


def upload(client: Any, folder: Path, manifest: Manifest, taken: Collection[str]) -> Uploaded:  # noqa: ANN401
    """Return a LoggedModel with these files; one that failed is left, and the next call goes on.

    Files that an earlier attempt has brought whole are not sent again. What other attempts left
    is deleted, but for the models in `taken`, by id: a version is made of them.
    """
    experiment = _experiment(client)
    left = [each for each in _attempts(client, experiment, manifest) if each.model_id not in taken]
    begun = next((each for each in left if _goes_on(client, each)), None)
    for stale in left:
        if stale is not begun:
            client.delete_logged_model(stale.model_id)
    model = begun or _created(client, experiment, manifest)
    done = Uploaded(str(model.model_id), str(model.source_run_id))
    try:
        _send(client, folder, manifest, model)
        _log_figures(client, done.run, done.model, manifest)
    except BaseException:
        with suppress(Exception):  # the first failure is the one to tell
            _finish(client, done, ready=False)
        raise
    _finish(client, done, ready=True)
    return done


def _attempts(client: Any, experiment: str, manifest: Manifest) -> list[Any]:  # noqa: ANN401
    """Return the LoggedModels of this artifact, whatever became of them, the newest first."""
    found = client.search_logged_models(
        [experiment], filter_string=f"tags.`{DIGEST}` = '{manifest.digest}'"
    )
    return sorted(found, key=lambda model: -int(model.creation_timestamp))


def _created(client: Any, experiment: str, manifest: Manifest) -> Any:  # noqa: ANN401
    name = registered_name(manifest.language)
    commit = code_commit()
    tags = {COMMIT: commit, "mlflow.source.git.commit": commit}
    run = client.create_run(experiment, run_name=f"register {name}", tags=tags).info.run_id
    return client.create_logged_model(
        experiment,
        name=name,
        source_run_id=run,
        tags={DIGEST: manifest.digest},
        params=model_params(manifest),
        model_type="sentiment",
    )


def _send(client: Any, folder: Path, manifest: Manifest, model: Any) -> None:  # noqa: ANN401
    """Bring the files that are not there whole; the manifest always, for its circumstances."""
    place = repository(client.tracking_uri, model.artifact_location)
    there = {file.path: file.file_size for file in place.list_artifacts()}
    if not there:
        client.log_model_artifacts(model.model_id, str(folder))
        return
    for name, file in manifest.files.items():
        if there.get(name) != file.size:
            client.log_model_artifact(model.model_id, str(folder / name))
    client.log_model_artifact(model.model_id, str(folder / NAME))


def _goes_on(client: Any, model: Any) -> bool:  # noqa: ANN401
    """Say whether the run that began an upload still takes figures: people delete failed runs."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  (heavy)

    if not model.source_run_id:
        return False
    try:
        return bool(client.get_run(model.source_run_id).info.lifecycle_stage == "active")
    except MlflowException:
        return False


def _experiment(client: Any) -> str:  # noqa: ANN401
    known = client.get_experiment_by_name(EXPERIMENT)
    return str(known.experiment_id if known else client.create_experiment(EXPERIMENT))


def _finish(client: Any, done: Uploaded, *, ready: bool) -> None:  # noqa: ANN401
    from mlflow.entities import LoggedModelStatus  # noqa: PLC0415  (heavy)

    status = LoggedModelStatus.READY if ready else LoggedModelStatus.FAILED
    client.finalize_logged_model(done.model, status)
    client.set_terminated(done.run, "FINISHED" if ready else "FAILED")


def _log_figures(client: Any, run: str, model: str, manifest: Manifest) -> None:  # noqa: ANN401
    """Link the gate's figures to the model and to the digest of the texts they were taken on."""
    from mlflow.entities import Dataset, DatasetInput, LoggedModelOutput  # noqa: PLC0415  (heavy)

    client.log_outputs(run, [LoggedModelOutput(model_id=model, step=0)])
    if manifest.gate is None:
        return
    name = f"gate-{manifest.language}"
    digest = manifest.gate.data_digest[:_DATASET_DIGEST]
    data = Dataset(name, digest, "local", manifest.gate.texts_source)
    client.log_inputs(run, datasets=[DatasetInput(dataset=data, tags=[])])
    for key, value in figures(manifest).items():
        client.log_metric(run, key, value, dataset_name=name, dataset_digest=digest, model_id=model)
