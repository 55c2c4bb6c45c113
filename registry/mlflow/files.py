"""Where the files of a version lie in MLflow."""

from typing import Any

from models.identity import ModelId

LOGGED = "models:/"


def files(client: Any, uri: str, model: ModelId) -> Any:  # noqa: ANN401  (MLflow has no types)
    """Return MLflow's ArtifactRepository of a version."""
    return repository(uri, location(client, model))


def repository(uri: str, place: str) -> Any:  # noqa: ANN401
    """Return MLflow's ArtifactRepository of a location."""
    from mlflow.store.artifact.artifact_repository_registry import (  # noqa: PLC0415  (heavy)
        get_artifact_repository,
    )

    return get_artifact_repository(place, tracking_uri=uri)


def location(client: Any, model: ModelId) -> str:  # noqa: ANN401
    """Return where the files lie; `models:/...` would be looked up on MLflow's default server.

    The client has no other way: MLflow resolves such addresses through global settings.
    """
    source = client.get_model_version_download_uri(model.name, str(model.version))
    if not source.startswith(LOGGED):
        return str(source)
    return str(client.get_logged_model(source.removeprefix(LOGGED)).artifact_location)
