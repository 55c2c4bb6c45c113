"""From an answer to what made it: version, run, data, gate and code."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from models.errors import ManifestInvalid, RegistryError
from models.identity import PREFIX, ModelId, Tag, registered_name
from models.languages import canonical
from models.manifest import NAME, Manifest
from models.routes import Routes
from models.store import Store
from registry.checkpoints.checkpoint import UNKNOWN
from registry.mlflow.text import COMMIT, DIGEST
from registry.source import Aliases, Registry, Version

COMMITS = (COMMIT, "mlflow.source.git.commit")
"""Version tags that name the commit of the code that made a version."""
DATA = "training_data_digest"


@dataclass(frozen=True, slots=True)
class Lineage:
    """What made the answers that name a model; None and "unknown" where nobody knows.

    `version` is what the registry says, `tag` and `manifest` what the store of this machine has.
    """

    model: ModelId
    version: Version | None
    tag: Tag | None
    manifest: Manifest | None

    @property
    def digest(self) -> str:
        """The sha256 of the manifest, which names every byte: of this store, else as registered."""
        return self.manifest.digest if self.manifest else self._told(DIGEST)

    @property
    def data(self) -> str:
        """The digest of the training data."""
        return self.manifest.training_data_digest if self.manifest else self._told(DATA)

    @property
    def run(self) -> str:
        """The MLflow run that registered it."""
        return self.version.run or UNKNOWN if self.version else UNKNOWN

    @property
    def commit(self) -> str:
        """The commit of the code that registered it."""
        return self._told(*COMMITS)

    @property
    def genuine(self) -> bool | None:
        """Whether the store has what was registered; None where one of them says nothing."""
        registered = self._told(DIGEST)
        if self.manifest is None or registered == UNKNOWN:
            return None
        return self.manifest.digest == registered

    def _told(self, *names: str) -> str:
        tags = self.version.tags if self.version else {}
        return next((tags[name] for name in names if tags.get(name)), UNKNOWN)


def lineage(registry: Registry, store: Store, subject: str) -> Lineage:
    """Trace `de` (what answers now), `de:3` or a tag of the store.

    ValueError where the subject is none of these, RegistryError where neither the registry nor the
    store knows it, RegistryUnavailable.
    """
    tag = Tag.parse(subject) if "-" in subject.partition(":")[2] else None
    model = tag.model if tag else _model(registry, store, subject)
    versions = registry.versions(model.language)
    version = next((known for known in versions if known.model == model), None)
    digest = version.tags.get(DIGEST, "") if version else ""
    found = next((each for each in _stored(store, model, digest) if tag in {None, each[0]}), None)
    if version is None and found is None:
        message = f"neither MLflow nor {store.home} knows {subject}"
        raise RegistryError(message)
    return Lineage(model, version, *(found or (None, None)))


def _model(registry: Registry, store: Store, subject: str) -> ModelId:
    spelled, _, number = subject.removeprefix(PREFIX).partition(":")
    language = canonical(spelled)
    if number:
        if not number.isdecimal():
            message = f"{number!r} is no version number"
            raise ValueError(message)
        return ModelId(language, int(number))
    if (route := Routes.read(store.routes).languages.get(language)) is not None:
        return route.champion.model
    champion = registry.aliases().get(language, Aliases()).champion
    if champion is None:
        message = f"{registered_name(language)} has no champion; name a version, {language}:1"
        raise RegistryError(message)
    return champion.model


def _stored(store: Store, model: ModelId, digest: str) -> Iterator[tuple[Tag, Manifest]]:
    """Yield what the store has of a version, first that of the digest."""
    places = (store.path(Tag(model, "")).parent).glob(f"v{model.version:06d}-*/{NAME}")
    tags = [f"{place.parent.parent.name}:{place.parent.name}" for place in places]
    for spelled in sorted(tags, key=lambda tag: not digest.startswith(tag.rpartition("-")[2])):
        with suppress(ValueError, ManifestInvalid):
            tag = Tag.parse(spelled)
            yield tag, Manifest.read(store.path(tag))
