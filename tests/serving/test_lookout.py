import asyncio
from pathlib import Path

import pytest

from models.coming import Coming, Missing
from models.errors import LanguageUndetermined, NotYetFetched
from models.identity import ModelId, Tag
from models.routes import Route
from models.settings import Settings
from models.store import Store
from serving.assemble import Runtime, assemble
from serving.call import Call
from serving.lookout import Lookout
from serving.result import Question
from serving.router import Router
from tests.tiny import serve_tiny

GERMAN = "Das Essen war leider schlecht, und der Film war auch nicht gut."


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    (tmp_path / "polysent").mkdir()
    return Store(tmp_path)


def tell(store: Store, **on_request: int) -> None:
    """Say what comes when it is asked for, as the sync does."""
    Coming(store).path.write_text(Missing(on_request=on_request).model_dump_json())


def test_detector_is_told_what_changes_and_nothing_else(store: Store) -> None:
    """Each look costs little: four a second are taken."""
    told: list[frozenset[str]] = []
    routes = {"en": Route(champion=Tag(ModelId("en", 1), "0" * 8))}
    lookout = Lookout(Router(routes, Coming(store)), told.append)

    lookout.look()
    lookout.look()
    tell(store, de=1)
    lookout.look()
    lookout.look()

    assert told == [{"en"}, {"en", "de"}]


async def test_text_in_a_language_that_is_to_come_is_asked_for(store: Store) -> None:
    """Though no route has moved since; before, nobody was looking for it."""
    serve_tiny(store, "en")
    runtime = assemble(Settings(threads=1), store)
    runtime.start([])
    with pytest.raises(LanguageUndetermined):
        await runtime.path.answer(Question(text=GERMAN), Call())

    tell(store, de=1)

    async with asyncio.timeout(10):
        while not Coming(store).asked():
            await asyncio.sleep(0.05)
            with pytest.raises((LanguageUndetermined, NotYetFetched)):
                await runtime.path.answer(Question(text=GERMAN), Call())
    assert Coming(store).asked() == {"de"}
    runtime.close()


@pytest.mark.parametrize("ready", [True, False])
async def test_service_is_ready_where_somebody_may_ask(store: Store, *, ready: bool) -> None:
    """With nothing to serve yet: who holds requests back until it is ready asks for nothing."""
    if ready:
        tell(store, de=1)
    runtime: Runtime = assemble(Settings(threads=1), store)
    runtime.start([])
    async with asyncio.timeout(10):
        while not runtime.keeper.ready:  # noqa: ASYNC110  (what it waits for tells nobody)
            await asyncio.sleep(0.01)

    assert runtime.ready is ready
    runtime.close()
