import errno
import os
from collections.abc import Callable
from pathlib import Path

import bentoml.models
import pytest
from bentoml._internal.models import ModelStore

from models.disk import flush
from models.errors import ArtifactCorrupt, ManifestInvalid, StoreFailed
from models.identity import ModelId, Tag
from models.leases import Leases
from models.manifest import MODEL as MODEL_FILE
from models.manifest import NAME, TOKENIZER, WEIGHTS, Manifest
from models.routes import Route, Routes
from models.store import Store
from registry import disk
from registry.source import Promoted
from registry.syncing import store as module
from registry.syncing.store import StoreWriter, verified
from tests.tiny import PASSED, write_tiny

MODEL = ModelId("zh-Hant", 3)


@pytest.fixture
def writer(store: Store) -> StoreWriter:
    """Return the writer of the store."""
    return StoreWriter(store)


def put(writer: StoreWriter, model: ModelId = MODEL, sure: float = 2.0) -> Tag:
    """Publish a tiny artifact."""
    with writer.staged(Promoted(model)) as folder:
        assert folder is not None
        manifest = write_tiny(folder, model.language, sure=sure)
        (folder / "registered_model_meta").write_text("MLflow's")
        tag = verified(folder, Promoted(model, manifest.digest))
        writer.publish(folder, tag)
    return tag


def test_bentoml_sees_what_was_published(store: Store, writer: StoreWriter) -> None:
    """`bentoml models list` and `bentoml.models.get` find it, labelled, at our path."""
    tag = put(writer)
    theirs = ModelStore(store.home / "models")

    found = bentoml.models.get(str(tag), _model_store=theirs)

    assert Path(found.path) == store.path(tag)
    assert [str(model.tag) for model in bentoml.models.list(_model_store=theirs)] == [str(tag)]
    assert found.info.labels["language"] == "zh-Hant"
    assert found.info.metadata["version"] == "3"
    assert str(bentoml.models.get("sentiment-zh-hant:latest", _model_store=theirs).tag) == str(tag)


def test_only_what_the_manifest_names_is_published(store: Store, writer: StoreWriter) -> None:
    """Files that no hash vouches for do not come into the store."""
    tag = put(writer)

    names = {path.name for path in store.path(tag).iterdir()}

    assert names == {*Manifest.read(store.path(tag)).files, "manifest.json", "model.yaml"}


def test_published_models_are_readable_by_others(store: Store, writer: StoreWriter) -> None:
    """In a container another user serves what this one wrote."""
    before = os.umask(0o022)
    try:
        tag = put(writer)
    finally:
        os.umask(before)

    assert store.path(tag).stat().st_mode & 0o055 == 0o055


def folders(store: Store) -> list[str]:
    """Return what lies in staging, beside the locks."""
    return sorted(path.name for path in (store.home / "staging").iterdir() if path.is_dir())


def test_a_stage_is_lent_once_at_a_time(store: Store, writer: StoreWriter) -> None:
    """A second sync leaves the download to the first; what came stays for the next attempt."""
    with writer.staged(Promoted(MODEL)) as folder, writer.staged(Promoted(MODEL)) as second:
        assert folder is not None
        assert second is None
        (folder / "part").write_text("half")

    with writer.staged(Promoted(MODEL)) as again:
        assert again == folder
        assert (again / "part").read_text() == "half"
    assert folders(store) == ["sentiment-zh-hant-v000003-unknown"]


def test_leftovers_of_a_killed_sync_are_cleaned(store: Store, writer: StoreWriter) -> None:
    """Not what is still wanted, nor what is being fetched, nor anything of anyone else's."""
    wanted = Promoted(ModelId("de", 2), "a" * 64)
    for name in ("sentiment-de-v000002-aaaaaaaa", "sentiment-de-v000001-bbbbbbbb", "someone-else"):
        (store.home / "staging" / name).mkdir(parents=True)

    with writer.staged(Promoted(ModelId("fr", 1))):
        writer.clean([wanted])

    assert folders(store) == [
        "sentiment-de-v000002-aaaaaaaa",
        "sentiment-fr-v000001-unknown",
        "someone-else",
    ]


def test_a_model_in_use_is_not_removed(store: Store, writer: StoreWriter) -> None:
    """A service that has leased it keeps it; afterwards BentoML does not see it, nor a half."""
    tag = put(writer)
    lease = Leases(store).use(tag)
    assert lease is not None

    assert not writer.remove(tag)
    assert writer.tags() == [tag]
    lease.release()
    assert writer.remove(tag)

    assert writer.tags() == []
    assert bentoml.models.list(_model_store=ModelStore(store.home / "models")) == []
    assert folders(store) == []


def test_a_model_that_is_being_removed_is_not_leased(store: Store, writer: StoreWriter) -> None:
    """Who asks at that moment is told that it is not there."""
    tag = put(writer)

    with Leases(store).removing(tag) as free:
        assert free
        assert Leases(store).use(tag) is None


def refusing(after: int, code: int, real: Callable[..., None]) -> Callable[..., None]:
    """Return a function that the disk refuses once it was called often enough."""
    calls = 0

    def wrapped(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(code, os.strerror(code))
        real(*arguments)

    return wrapped


@pytest.mark.parametrize(
    ("step", "after"), [("write_info", 0), *(("flush", after) for after in range(6))]
)
def test_a_full_disk_leaves_the_store_as_it_was(
    step: str, after: int, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step before the rename fails, the model is not there and the error says why."""
    before = put(writer)
    monkeypatch.setattr(module, step, refusing(after, errno.ENOSPC, getattr(module, step)))

    with pytest.raises(StoreFailed, match="the disk is full"):
        put(writer, ModelId("zh-Hant", 4), sure=3.0)

    assert writer.tags() == [before]


def test_routes_that_cannot_be_written_stay(
    store: Store, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service goes on reading the old routes."""
    old = Routes(languages={"de": Route(champion=put(writer))})
    writer.write_routes(old)
    monkeypatch.setattr(disk, "flush", refusing(0, errno.ENOSPC, flush))

    with pytest.raises(StoreFailed, match="the disk is full"):
        writer.write_routes(Routes())

    assert Routes.read(store.routes) == old


def test_unchanged_routes_are_not_written_again(store: Store, writer: StoreWriter) -> None:
    """The service looks at the file's identity: a new one would make it read for nothing."""
    writer.write_routes(Routes())
    before = store.routes.stat().st_ino

    writer.write_routes(Routes())

    assert store.routes.stat().st_ino == before


def test_broken_routes_count_as_none(store: Store, writer: StoreWriter) -> None:
    """A sync remakes them from the champions."""
    store.routes.parent.mkdir(parents=True)
    store.routes.write_text("{")

    assert writer.routes() == Routes()


def test_a_stored_model_without_a_manifest_is_replaced(store: Store, writer: StoreWriter) -> None:
    """What someone broke by hand counts as missing, and can be brought again."""
    tag = put(writer)
    (store.path(tag) / "manifest.json").unlink()

    assert writer.tags() == []
    assert put(writer) == tag
    assert writer.tags() == [tag]


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"cut")])
def test_a_stored_model_that_lost_bytes_is_not_there(
    damage: Callable[[Path], object], store: Store, writer: StoreWriter
) -> None:
    """A missing file, or one of another size, makes the next sync bring the model again."""
    tag = put(writer)
    damage(store.path(tag) / WEIGHTS)

    assert writer.tags() == []


def verify(folder: Path, digest: str | None = None, language: str = "de") -> Tag:
    """Verify a folder as version 1 of a language."""
    return verified(folder, Promoted(ModelId(language, 1), digest))


def test_a_verified_download_is_named_after_its_digest(tmp_path: Path) -> None:
    """The tag holds the first eight digits of the manifest's sha256."""
    manifest = write_tiny(tmp_path, "de")

    assert verify(tmp_path, manifest.digest) == Tag(ModelId("de", 1), manifest.digest[:8])
    assert verify(tmp_path) == Tag(ModelId("de", 1), manifest.digest[:8])


def test_an_empty_download_is_refused(tmp_path: Path) -> None:
    """MLflow gives an empty folder, and no error, when its files were collected."""
    with pytest.raises(ManifestInvalid):
        verify(tmp_path)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """One flipped bit is enough."""
    write_tiny(tmp_path, "de")
    weights = bytearray((tmp_path / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(weights)

    with pytest.raises(ArtifactCorrupt, match=WEIGHTS):
        verify(tmp_path)


def test_another_language_or_digest_is_refused(tmp_path: Path) -> None:
    """A whole artifact in the wrong place is still wrong; both reasons are given."""
    write_tiny(tmp_path, "de")

    with pytest.raises(ArtifactCorrupt) as refused:
        verify(tmp_path, "0" * 64, "nl")

    assert len(refused.value.reasons) == 2


def test_what_the_gate_did_not_let_through_is_refused(tmp_path: Path) -> None:
    """Anyone can make a version in MLflow; the service takes gated ones only."""
    manifest = write_tiny(tmp_path, "de")
    manifest.model_copy(update={"gate": None}).write(tmp_path)
    with pytest.raises(ArtifactCorrupt, match="no gate"):
        verify(tmp_path)

    refused = PASSED.model_copy(update={"reasons": ("agrees on nothing",)})
    manifest.model_copy(update={"gate": refused}).write(tmp_path)
    with pytest.raises(ArtifactCorrupt, match="agrees on nothing"):
        verify(tmp_path)


@pytest.mark.parametrize("name", [MODEL_FILE, WEIGHTS, TOKENIZER])
def test_a_file_that_nobody_vouches_for_is_refused(name: str, tmp_path: Path) -> None:
    """Graph, weights and tokenizer need a hash, or anything could be in them."""
    manifest = write_tiny(tmp_path, "de")
    files = {key: file for key, file in manifest.files.items() if key != name}
    manifest.model_copy(update={"files": files}).write(tmp_path)

    with pytest.raises(ArtifactCorrupt, match=f"{name}: not in manifest.json"):
        verify(tmp_path)


def test_only_what_was_verified_is_left_to_be_opened(tmp_path: Path) -> None:
    """A stray beside the graph could be named by it; it is gone before anything is run."""
    write_tiny(tmp_path, "de")
    (tmp_path / "stray.bin").write_bytes(b"")

    verify(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {NAME, MODEL_FILE, WEIGHTS, TOKENIZER}


def test_a_manifest_that_is_a_folder_is_no_manifest(tmp_path: Path) -> None:
    """One that can't be read is refused like one that is not there."""
    (tmp_path / NAME).mkdir()

    with pytest.raises(ManifestInvalid, match=NAME):
        verify(tmp_path)
