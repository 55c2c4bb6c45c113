from pathlib import Path

import pytest

from models.store import Store
from tests.fakes_registry import FakeRegistry


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "bentoml")


@pytest.fixture
def registry() -> FakeRegistry:
    """Return an empty registry."""
    return FakeRegistry()
