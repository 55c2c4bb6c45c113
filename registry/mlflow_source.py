"""The registry seam over MLflow; needs mlflow-skinny, no more."""

from collections.abc import Mapping
from pathlib import Path

from models.identity import ModelId, registered_name
from models.manifest import NAME, Manifest
from registry.mlflow_champions import champion, registered_models, with_digest
from registry.mlflow_client import answers, open_client
from registry.mlflow_files import LOGGED, files
from registry.mlflow_text import DIGEST, digest_tag, version_tags
from registry.mlflow_upload import upload
from registry.source import Alias, Promoted, Registered, State

LONGEST_TAG = 4000


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
            if (known := self._registered(manifest)) is not None:
                self._remember(known, manifest.digest)  # a kill may have come before it
                return Registered(known, manifest.digest, new=False)
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
        """Return what the alias names.

        One search, one more for every thousand models and for each champion whose digest is noted
        on its version only.
        """
        with answers(self._uri, "list the champions"):
            found = map(champion, registered_models(self._client))
            told = (with_digest(self._client, promoted) for promoted in found if promoted)
            return {promoted.model.language: promoted for promoted in told}

    def download(self, model: ModelId, into: Path) -> None:
        """Fetch by version number: an alias could move in between."""
        with answers(self._uri, f"download {model}"):
            files(self._client, self._uri, model).download_artifacts("", dst_path=str(into))

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

    def _registered(self, manifest: Manifest) -> ModelId | None:
        """Return the newest version of this manifest whose files are there."""
        name = registered_name(manifest.language)
        found = self._client.search_model_versions(
            f"name='{name}' and tags.`{DIGEST}`='{manifest.digest}'"
        )
        models = (ModelId(manifest.language, int(version.version)) for version in found)
        return next(filter(self._has_files, sorted(models, reverse=True)), None)

    def _has_files(self, model: ModelId) -> bool:
        return NAME in {
            file.path for file in files(self._client, self._uri, model).list_artifacts()
        }

    def _remember(self, model: ModelId, digest: str) -> None:
        """Note the digest on the registered model: a search shows its tags, not its versions'."""
        self._client.set_registered_model_tag(model.name, digest_tag(model.version), digest)
