import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from models.coming import Coming
from models.store import Store
from registry.mlflow import source
from registry.promote import promote
from tests.fakes_registry import FakeRegistry
from tests.tiny import write_tiny

RUN = CliRunner(env={"COLUMNS": "200"})


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """Return an empty store, beside a registry with champions for de, fr, nl and mul."""
    registry = FakeRegistry()
    for language in ("de", "fr", "nl", "mul"):
        folder = tmp_path / "made" / language
        registry.register(folder, write_tiny(folder, language))
        promote(registry, language)

    def ours(_: str) -> FakeRegistry:
        return registry

    monkeypatch.setattr(source, "MLflowRegistry", ours)
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    return Store.default()


@pytest.fixture
def preview() -> Callable[..., dict[str, Any]]:
    """Return `polysent registry sync --dry-run --json`."""

    def run(*words: str) -> dict[str, Any]:
        done = RUN.invoke(app, ["registry", "sync", "--dry-run", "--json", *words])
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def test_preview_tells_what_would_be_fetched(
    store: Store, preview: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the setting or the option; what was asked for and is pinned, and what stays away."""
    Coming(store).ask("fr")
    monkeypatch.setenv("POLYSENT_PIN", "nl")
    monkeypatch.setenv("POLYSENT_SYNC_FETCH", "asked")

    asked, everything = preview(), preview("--fetch", "all")

    wanted = ["sentiment-fr:1", "sentiment-mul:1", "sentiment-nl:1"]
    assert (sorted(asked["fetch"]), asked["on_request"]) == (wanted, ["sentiment-de:1"])
    assert sorted(asked["moves"]) == ["fr", "mul", "nl"]
    assert sorted(everything["fetch"]) == ["sentiment-de:1", *wanted]
    assert everything["on_request"] == []
    assert Coming(store).asked() == {"fr"}


def test_sync_brings_what_the_option_says(store: Store) -> None:
    """And says what waits to be asked for."""
    done = RUN.invoke(app, ["registry", "sync", "--fetch", "asked"])
    told = RUN.invoke(app, ["registry", "sync", "--fetch", "asked", "--dry-run"])

    assert (done.exit_code, told.exit_code) == (0, 0)
    assert [place.name for place in (store.home / "models").iterdir()] == ["sentiment-mul"]
    assert "when somebody asks: sentiment-de:1, sentiment-fr:1, sentiment-nl:1" in told.stdout


def test_other_ways_to_fetch_are_wrong_use() -> None:
    """Exit code 2, and what there is."""
    done = RUN.invoke(app, ["registry", "sync", "--fetch", "some"])

    assert done.exit_code == 2
    assert "asked" in done.output
