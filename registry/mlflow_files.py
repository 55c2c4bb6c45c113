"""Where the files of a version lie in MLflow."""

from typing import Any

from models.identity import ModelId

LOGGED = "models:/"


def files(client: Any, uri: str, model: ModelId) -> Any:  # noqa: ANN401  (MLflow has no types)
    """Return MLflow's ArtifactRepository of a version."""
    from mlflow.store.artifact.artifact_repository_registry import (  # noqa: PLC0415  (heavy)
        get_artifact_repository,
    )

    return get_artifact_repository(_location(client, model), tracking_uri=uri)


def _location(client: Any, model: ModelId) -> str:  # noqa: ANN401
    """Return where the files lie; `models:/...` would be looked up on MLflow's default server.

    The client has no other way: MLflow resolves such addresses through global settings.
    """
    source = client.get_model_version_download_uri(model.name, str(model.version))
    if not source.startswith(LOGGED):
        return str(source)
    return str(client.get_logged_model(source.removeprefix(LOGGED)).artifact_location)
