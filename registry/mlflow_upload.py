"""An artifact uploaded to MLflow as a LoggedModel."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from models.identity import registered_name
from models.manifest import Manifest
from registry.mlflow_text import DIGEST, figures, model_params

EXPERIMENT = "polysent"
_DATASET_DIGEST = 32
"""Characters of a data digest: MLflow's column takes 36."""


def upload(client: Any, folder: Path, manifest: Manifest) -> str:  # noqa: ANN401
    """Return the id of a LoggedModel that is READY; one that failed is left and says so."""
    name = registered_name(manifest.language)
    experiment = _experiment(client)
    run = client.create_run(experiment, run_name=f"register {name}").info.run_id
    model = client.create_logged_model(
        experiment,
        name=name,
        source_run_id=run,
        tags={DIGEST: manifest.digest},
        params=model_params(manifest),
        model_type="sentiment",
    ).model_id
    try:
        client.log_model_artifacts(model, str(folder))
        _log_figures(client, run, model, manifest)
    except BaseException:
        with suppress(Exception):  # the first failure is the one to tell
            _finish(client, run, model, ready=False)
        raise
    _finish(client, run, model, ready=True)
    return str(model)


def _experiment(client: Any) -> str:  # noqa: ANN401
    known = client.get_experiment_by_name(EXPERIMENT)
    return str(known.experiment_id if known else client.create_experiment(EXPERIMENT))


def _finish(client: Any, run: str, model: str, *, ready: bool) -> None:  # noqa: ANN401
    from mlflow.entities import LoggedModelStatus  # noqa: PLC0415  (heavy)

    status = LoggedModelStatus.READY if ready else LoggedModelStatus.FAILED
    client.finalize_logged_model(model, status)
    client.set_terminated(run, "FINISHED" if ready else "FAILED")


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
