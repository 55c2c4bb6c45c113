from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.engine import prepacked
from models.store import Store
from tests.serving.world import ALL_MODELS, ONE_MODEL, World
from tests.tiny import serve_tiny


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a service of which others are copies: it answers German by version 1.

    The version of a model is what one good word is worth to it. All are cold.
    """
    store = Store(tmp_path_factory.mktemp("made"))
    tags = {}
    for version in (3, 2, 1):
        tags[version] = serve_tiny(store, "de", version=version, sure=version)["de"]
        prepacked.make(store.path(tags[version]), store.home)
    return World(store, tags)


@pytest.fixture
async def world(made: World, tmp_path: Path) -> AsyncIterator[World]:
    """Return a service with room for all."""
    world = made.copy(tmp_path / "store", ALL_MODELS)
    yield world
    world.runtime.close()


@pytest.fixture
async def narrow(made: World, tmp_path: Path) -> AsyncIterator[World]:
    """Return one with room for one model."""
    world = made.copy(tmp_path / "store", ONE_MODEL)
    yield world
    world.runtime.close()
