"""The registry seam over MLflow; needs mlflow-skinny, no more."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.errors import ClientError
from models.identity import PREFIX, ModelId, registered_name
from models.languages import canonical
from models.manifest import Manifest
from registry.mlflow_client import answers, open_client
from registry.mlflow_text import DIGEST, digest_tag, version_tags
from registry.mlflow_upload import upload
from registry.source import Alias, Promoted, Registered, State

PAGE = 1000
LONGEST_TAG = 4000
LOGGED = "models:/"


class MLflowRegistry:
    """A `Registry` in MLflow: registered models `sentiment-<language>`, one version an artifact."""

    def __init__(self, uri: str) -> None:
        """Remember the address; nothing is sent before the first call."""
        self._uri = uri
        self._client = open_client(uri)

    def register(self, folder: Path, manifest: Manifest) -> Registered:
        """Upload as a LoggedModel; the version comes last, so it is never half there."""
        name = registered_name(manifest.language)
        with answers(self._uri, f"register {name}"):
            self._ensure(name)
            if (known := self._registered(name, manifest.digest)) is not None:
                return Registered(ModelId(manifest.language, known), manifest.digest, new=False)
            logged = upload(self._client, folder, manifest)
            version = self._client.create_model_version(
                name,
                source=f"{LOGGED}{logged}",
                model_id=logged,
                tags=version_tags(manifest),
                await_creation_for=0,
            )
            model = ModelId(manifest.language, int(version.version))
            self._remember(model, manifest.digest)
            return Registered(model, manifest.digest, new=True)

    def newest(self, language: str) -> ModelId | None:
        """Return the highest version number."""
        name = registered_name(language)
        with answers(self._uri, f"list the versions of {name}"):
            found = self._client.search_model_versions(
                f"name='{name}'", max_results=1, order_by=["version_number DESC"]
            )
            return ModelId(language, int(found[0].version)) if found else None

    def promote(self, model: ModelId, alias: Alias) -> None:
        """Set the alias; MLflow takes it from the version that had it in the same step."""
        with answers(self._uri, f"give {model} the alias {alias}"):
            self._client.set_registered_model_alias(model.name, alias, str(model.version))

    def champions(self) -> Mapping[str, Promoted]:
        """Return what the alias names: one search, and one more for every thousand models."""
        with answers(self._uri, "list the champions"):
            found = [champion(registered) for registered in self._registered_models()]
            return {promoted.model.language: promoted for promoted in found if promoted}

    def download(self, model: ModelId, into: Path) -> None:
        """Fetch by version number: an alias could move in between."""
        with answers(self._uri, f"download {model}"):
            from mlflow.store.artifact.artifact_repository_registry import (  # noqa: PLC0415
                get_artifact_repository,
            )

            files: Any = get_artifact_repository(self._location(model), tracking_uri=self._uri)
            files.download_artifacts("", dst_path=str(into))

    def report(self, model: ModelId, state: State, error: str = "") -> None:
        """Set the version tags `serving.state` and `serving.error`."""
        tags = {"serving.state": state, "serving.error": error[:LONGEST_TAG]}
        with answers(self._uri, f"tag {model}"):
            for key, value in tags.items():
                self._client.set_model_version_tag(model.name, str(model.version), key, value)

    def _ensure(self, name: str) -> None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  (heavy)

        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _location(self, model: ModelId) -> str:
        """Return where the files lie; `models:/...` would be looked up on MLflow's default server.

        The client has no other way: MLflow resolves such addresses through global settings.
        """
        source = self._client.get_model_version_download_uri(model.name, str(model.version))
        if not source.startswith(LOGGED):
            return str(source)
        return str(self._client.get_logged_model(source.removeprefix(LOGGED)).artifact_location)

    def _registered(self, name: str, digest: str) -> int | None:
        found = self._client.search_model_versions(f"name='{name}' and tags.`{DIGEST}`='{digest}'")
        return max((int(version.version) for version in found), default=None)

    def _remember(self, model: ModelId, digest: str) -> None:
        """Note the digest on the registered model: a search shows its tags, not its versions'."""
        self._client.set_registered_model_tag(model.name, digest_tag(model.version), digest)

    def _registered_models(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_registered_models(
                f"name LIKE '{PREFIX}%'", max_results=PAGE, page_token=token
            )
            yield from page
            if not (token := page.token):
                return


def champion(registered: Any) -> Promoted | None:  # noqa: ANN401  (an MLflow RegisteredModel)
    """Return the champion of a registered model; None without one, or for a name not ours."""
    version = registered.aliases.get("champion")
    language = registered.name.removeprefix(PREFIX)
    try:
        ours = canonical(language) == language
    except ClientError:
        ours = False
    if version is None or not ours:
        return None
    model = ModelId(language, int(version))
    return Promoted(model, registered.tags.get(digest_tag(model.version)))
