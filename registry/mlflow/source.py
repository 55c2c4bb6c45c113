"""The registry seam over MLflow; needs mlflow-skinny, no more."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from models.identity import ModelId, registered_name
from models.manifest import NAME, Manifest
from registry.commit import code_commit
from registry.mlflow.aliases import language, read, registered_models
from registry.mlflow.client import answers, open_client
from registry.mlflow.download import download, size
from registry.mlflow.files import LOGGED, files, location, repository
from registry.mlflow.page import page
from registry.mlflow.text import COMMIT, DIGEST, SHADOW, SHARE, cut, digest_tag, version_tags
from registry.mlflow.upload import upload
from registry.source import Alias, Aliases, Registered, Version

WEBHOOKS = 100
EVENTS = [
    "model_version_alias.created",
    "model_version_alias.deleted",
    "model_version.created",
    "registered_model.created",
]
"""What a sync wants to be called for; MLflow has no event for what is deleted."""


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
            known = self._of(manifest)
            if (there := next(filter(self._has_files, known), None)) is not None:
                self._remember(there, manifest.digest)  # a kill may have come before it
                return Registered(there, manifest.digest, new=False)
            done = upload(self._client, folder, manifest, set(known.values()))
            version = self._client.create_model_version(
                name,
                source=f"{LOGGED}{done.model}",
                run_id=done.run,
                model_id=done.model,
                tags=version_tags(manifest) | {COMMIT: code_commit()},
                description=page(manifest),
                await_creation_for=0,
            )
            model = ModelId(manifest.language, int(version.version))
            self._remember(model, manifest.digest)
            return Registered(model, manifest.digest, new=True)

    def versions(self, language: str) -> list[Version]:
        """Return the versions, by one search for every thousand."""
        name = registered_name(language)
        found: list[Version] = []
        token = None
        with answers(self._uri, f"list the versions of {name}"):
            while True:
                page = self._client.search_model_versions(
                    f"name='{name}'", order_by=["version_number DESC"], page_token=token
                )
                found += [_version(language, version) for version in page]
                if not (token := page.token):
                    return found

    def promote(self, model: ModelId, alias: Alias) -> None:
        """Set the alias; MLflow takes it from the version that had it in the same step."""
        with answers(self._uri, f"give {model} the alias {alias}"):
            self._client.set_registered_model_alias(model.name, alias, str(model.version))

    def withdraw(self, language: str, alias: Alias) -> None:
        """Delete the alias; MLflow does not mind where there is none."""
        name = registered_name(language)
        with answers(self._uri, f"take the alias {alias} from {name}"):
            self._client.delete_registered_model_alias(name, alias)

    def split(self, language: str, share: float, *, shadow: bool) -> None:
        """Set two tags of the registered model, which each search shows."""
        name = registered_name(language)
        with answers(self._uri, f"split the requests of {name}"):
            self._client.set_registered_model_tag(name, SHARE, f"{share:g}")
            self._client.set_registered_model_tag(name, SHADOW, "true" if shadow else "false")

    def note(self, model: ModelId, tags: Mapping[str, str]) -> None:
        """Set version tags, each cut to what MLflow takes."""
        with answers(self._uri, f"tag {model}"):
            for key, value in tags.items():
                self._client.set_model_version_tag(model.name, str(model.version), key, cut(value))

    def aliases(self) -> Mapping[str, Aliases]:
        """Return what aliases and tags say.

        One search, one more for every thousand models and for each version with an alias whose
        digest is noted on the version only.
        """
        with answers(self._uri, "list the champions"):
            return {
                tag: read(self._client, tag, registered)
                for registered in registered_models(self._client)
                if (tag := language(registered)) is not None
            }

    def download(self, model: ModelId, into: Path) -> None:
        """Fetch by version number: an alias could move in between."""
        with answers(self._uri, f"download {model}"), self._forgetting(model):
            place = location(self._client, model)
            download(repository(self._uri, place), place, into)

    @contextmanager
    def _forgetting(self, model: ModelId) -> Iterator[None]:
        """Let a deleted version count as the newest no longer: its note outlives it."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  (heavy)

        try:
            yield
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                with suppress(MlflowException):
                    self._client.delete_registered_model_tag(model.name, digest_tag(model.version))
            raise

    def nbytes(self, model: ModelId) -> int:
        """Add up what MLflow lists."""
        with answers(self._uri, f"list the files of {model}"):
            return size(files(self._client, self._uri, model))

    def subscribe(self, url: str, secret: str) -> None:
        """Make the webhook, or give it the secret that is in force now."""
        with answers(self._uri, f"call {url} when an alias moves"):
            for webhook in self._client.list_webhooks(max_results=WEBHOOKS):
                if webhook.url == url:
                    self._client.update_webhook(webhook.webhook_id, secret=secret, events=EVENTS)
                    return
            self._client.create_webhook("polysent", url, events=EVENTS, secret=secret)

    def _ensure(self, name: str) -> None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  (heavy)

        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _of(self, manifest: Manifest) -> dict[ModelId, str]:
        """Return the versions of this manifest, the newest first, and the LoggedModel of each."""
        name = registered_name(manifest.language)
        found = self._client.search_model_versions(
            f"name='{name}' and tags.`{DIGEST}`='{manifest.digest}'"
        )
        models = {
            ModelId(manifest.language, int(version.version)): version.source.removeprefix(LOGGED)
            for version in found
        }
        return dict(sorted(models.items(), reverse=True))

    def _has_files(self, model: ModelId) -> bool:
        return NAME in {
            file.path for file in files(self._client, self._uri, model).list_artifacts()
        }

    def _remember(self, model: ModelId, digest: str) -> None:
        """Note the digest on the registered model: a search shows its tags, not its versions'."""
        self._client.set_registered_model_tag(model.name, digest_tag(model.version), digest)


def _version(language: str, version: Any) -> Version:  # noqa: ANN401  (an MLflow ModelVersion)
    return Version(
        model=ModelId(language, int(version.version)),
        created=version.creation_timestamp / 1000,
        tags=dict(version.tags),
        run=version.run_id or "",
    )
