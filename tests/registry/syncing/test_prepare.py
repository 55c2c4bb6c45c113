from pathlib import Path

import pytest

from models.engine import prepacked
from models.errors import StoreFailed
from models.store import Store
from registry.promote import promote
from registry.syncing import prepare
from registry.syncing.store import StoreWriter
from registry.syncing.sync import sync
from tests.fakes_registry import FakeRegistry
from tests.tiny import write_tiny


def champion(registry: FakeRegistry, folder: Path, sure: float = 2.0) -> None:
    """Register and promote a tiny Dutch model."""
    registry.register(folder, write_tiny(folder, "nl", sure=sure))
    promote(registry, "nl")


def test_a_model_is_prepacked_before_it_is_routed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request finds it ready."""
    store, registry = Store(tmp_path / "home"), FakeRegistry()
    champion(registry, tmp_path / "made")
    routed = []
    make = prepacked.make

    def seen(folder: Path, home: Path) -> Path:
        routed.append(store.routes.exists() and b"nl" in store.routes.read_bytes())
        return make(folder, home)

    monkeypatch.setattr(prepacked, "make", seen)
    (tag,) = sync(registry, store).synced

    assert routed == [False]
    assert prepacked.find(store.path(tag), store.home)


def test_a_form_that_can_not_be_made_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is served all the same, and the sync says why it takes more memory."""
    store, registry = Store(tmp_path / "home"), FakeRegistry()
    champion(registry, tmp_path / "made")
    said: list[str] = []

    def refuse(*_: Path) -> Path:
        message = "the disk is full"
        raise StoreFailed(message)

    monkeypatch.setattr(prepacked, "make", refuse)
    report = sync(registry, store, said.append)

    assert len(report.synced) == 1
    assert any("the disk is full" in line for line in said)


def test_a_sync_makes_a_form_that_went_missing(tmp_path: Path) -> None:
    """As after an update of the runtime."""
    store, registry = Store(tmp_path / "home"), FakeRegistry()
    champion(registry, tmp_path / "made")
    (tag,) = sync(registry, store).synced
    prepacked.forget(store.home, set())

    sync(registry, store)

    assert prepacked.find(store.path(tag), store.home)


def test_only_the_engine_that_opens_forms_has_them_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO and a card open the portable one."""
    monkeypatch.setenv("POLYSENT_ENGINE", "cuda")
    store, registry = Store(tmp_path / "home"), FakeRegistry()
    champion(registry, tmp_path / "made")

    (tag,) = sync(registry, store).synced

    assert prepacked.find(store.path(tag), store.home) is None


def test_forms_of_models_that_left_the_store_go_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are only derived."""
    monkeypatch.setattr(prepacked, "RECENT_SECONDS", -1.0)
    store, registry = Store(tmp_path / "home"), FakeRegistry()
    champion(registry, tmp_path / "made")
    (tag,) = sync(registry, store).synced
    form = prepacked.find(store.path(tag), store.home)
    assert form

    store.path(tag).rename(tmp_path / "gone")
    prepare.forget(store, StoreWriter(store), lambda _: None)

    assert not form.exists()
