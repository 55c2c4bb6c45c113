from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import MalformedLanguage, RegistryError
from models.identity import ModelId, Tag
from models.manifest import Manifest
from models.routes import Routes
from models.store import Store
from registry.lineage import Lineage, lineage
from registry.promote import promote
from registry.source import Version
from tests.fakes_registry import FakeRegistry
from tests.tiny import serve_tiny

TAGS = {
    "manifest.digest": "e" * 64,
    "training_data_digest": "d" * 64,
    "code.commit": "c" * 40,
}


class Recorded(FakeRegistry):
    """Knows the run of each version."""

    def versions(self, language: str) -> list[Version]:
        """Add the run."""
        return [replace(version, run="r1") for version in super().versions(language)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store that serves version 3 of German."""
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "de", version=3)
    return store


@pytest.fixture
def registry(store: Store) -> FakeRegistry:
    """Return a registry with that version, and an older one that is in no store."""
    registry = Recorded()
    for version in (2, 3):
        registry.folders[ModelId("de", version)] = store.home
        registry.note(ModelId("de", version), TAGS)
    registry.note(ModelId("de", 3), {"manifest.digest": manifest(store).digest})
    return registry


def tag(store: Store) -> Tag:
    """Return what serves."""
    return Routes.read(store.routes).languages["de"].champion


def manifest(store: Store) -> Manifest:
    """Return its manifest."""
    return Manifest.read(store.path(tag(store)))


@pytest.mark.parametrize("subject", ["de", "DE", "de:3", "sentiment-de:3", "sentiment-de", "tag"])
def test_an_answer_leads_to_what_made_it(
    registry: FakeRegistry, store: Store, subject: str
) -> None:
    """By what the answer names, by a tag, or what answers now."""
    found = lineage(registry, store, str(tag(store)) if subject == "tag" else subject)

    assert found.model == ModelId("de", 3)
    assert found.tag == tag(store)
    assert found.manifest == manifest(store)
    assert found.digest == manifest(store).digest
    assert found.genuine is True
    assert (found.run, found.data, found.commit) == ("r1", "0" * 64, "c" * 40)


def test_what_is_in_no_store_is_told_by_its_tags(registry: FakeRegistry, store: Store) -> None:
    """A replaced version may have been collected; answers that name it are still explained."""
    found = lineage(registry, store, "de:2")

    assert (found.tag, found.manifest, found.genuine) == (None, None, None)
    assert (found.digest, found.data, found.commit) == ("e" * 64, "d" * 64, "c" * 40)


def test_what_is_gone_from_mlflow_is_told_by_the_store(store: Store) -> None:
    """A version can be deleted while it serves."""
    found = lineage(FakeRegistry(), store, "de")

    assert found.version is None
    assert found.manifest == manifest(store)
    assert (found.run, found.data, found.commit) == ("unknown", "0" * 64, "unknown")


def test_files_that_changed_after_registration_are_told(
    registry: FakeRegistry, store: Store
) -> None:
    """Versions are mutable in MLflow; the hash is not."""
    registry.note(ModelId("de", 3), {"manifest.digest": "f" * 64})

    assert lineage(registry, store, "de:3").genuine is False


def test_of_two_artifacts_the_registered_one_is_told(registry: FakeRegistry, store: Store) -> None:
    """One folder of a version may be a leftover."""
    other = store.path(Tag(ModelId("de", 3), "ffffffff"))
    other.mkdir()
    manifest(store).model_copy(update={"licence": "other"}).write(other)
    broken = store.path(Tag(ModelId("de", 3), "00000000"))
    broken.mkdir()

    assert lineage(registry, store, "de:3").tag == tag(store)
    named = lineage(registry, store, "sentiment-de:v000003-ffffffff").manifest
    assert named is not None
    assert named.licence == "other"


def test_a_language_without_a_route_is_its_champion(registry: FakeRegistry, tmp_path: Path) -> None:
    """Before the first sync, and on a machine without a store."""
    elsewhere = Store(tmp_path / "elsewhere")
    with pytest.raises(RegistryError, match="sentiment-de has no champion; name a version, de:1"):
        lineage(registry, elsewhere, "de")

    promote(registry, "de", 2)

    assert lineage(registry, elsewhere, "de").model == ModelId("de", 2)


@pytest.mark.parametrize(
    ("subject", "error"),
    [
        ("german!", MalformedLanguage),
        ("de:three", ValueError),
        ("sentiment-de:v3-xyz", ValueError),
        ("de:9", RegistryError),
        ("sentiment-de:v000003-00000000", None),
    ],
)
def test_what_nobody_knows(
    registry: FakeRegistry, store: Store, subject: str, error: type[Exception] | None
) -> None:
    """Is said; a tag that this store does not have is told by its version."""
    if error is None:
        assert lineage(registry, store, subject).manifest is None
        return
    with pytest.raises(error):
        lineage(registry, store, subject)


def test_a_run_may_be_unknown() -> None:
    """A version that was made by hand has none, nor any tag."""
    found = Lineage(ModelId("de", 1), Version(ModelId("de", 1), 0.0, {}), None, None)

    assert {found.run, found.data, found.commit, found.digest} == {"unknown"}
