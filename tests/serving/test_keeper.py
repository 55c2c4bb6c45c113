import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from models.routes import Route
from models.settings import Settings
from models.store import Store
from serving.assemble import Runtime, assemble
from serving.call import Call
from serving.result import Question
from tests.tiny import serve_tiny, write_routes


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with tiny models that share a tokenizer."""
    store = Store(tmp_path)
    serve_tiny(store, "de", "en", "fr")
    return store


@pytest.fixture
async def runtime(store: Store) -> AsyncIterator[Runtime]:
    """Return a running service without its web server; German is pinned."""
    runtime = assemble(Settings(threads=1), store)
    runtime.keeper.start(["de"])
    await until(lambda: runtime.keeper.ready)
    yield runtime
    runtime.close()


async def until(so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(5):
        while not so():  # noqa: ASYNC110  (what it waits for tells nobody)
            await asyncio.sleep(0.01)


async def test_pinned_model_is_open_when_the_service_is_ready(runtime: Runtime) -> None:
    """Nobody pays for it; the others are opened by who asks."""
    states = {one.language: one.state for one in runtime.languages().languages}
    assert states == {"de": "resident", "en": "cold", "fr": "cold"}


async def test_shared_tokenizer_is_loaded_before_the_first_request(runtime: Runtime) -> None:
    """One for all three models, and only once."""
    assert 'polysent_tokenizer_loads_total{outcome="ok"} 1.0' in runtime.metrics().decode()
    call = Call()
    await runtime.path.answer(Question(text="good", language="en"), call)
    assert 'polysent_tokenizer_loads_total{outcome="ok"} 1.0' in runtime.metrics().decode()


async def test_pin_follows_the_promotion(runtime: Runtime, store: Store) -> None:
    """The next version is opened and pinned; the old one goes."""
    old = runtime.router.routes["de"].champion
    routes = dict(runtime.router.routes)
    new = serve_tiny(store, "de", version=2, sure=3.0)["de"]
    write_routes(store, routes | {"de": Route(champion=new)})

    await until(lambda: getattr(runtime.residency.holding(new), "pinned", False))
    assert runtime.residency.state(new) == "resident"
    assert runtime.residency.state(old) == "cold"


async def test_pin_opens_and_unpin_lets_go(runtime: Runtime) -> None:
    """By language, while the service runs."""
    await runtime.keeper.pin("fr")
    holding = runtime.residency.holding(runtime.router.routes["fr"].champion)
    assert holding is not None
    assert holding.pinned

    runtime.keeper.unpin("fr")
    assert not holding.pinned


async def test_broken_pin_does_not_stop_the_service(store: Store) -> None:
    """It is said in the log, and tried again by the next request."""
    tag = assemble(Settings(), store).router.routes["de"].champion
    (store.path(tag) / "model.onnx").write_bytes(b"no model")
    runtime = assemble(Settings(threads=1), store)
    runtime.keeper.start(["de", "sv"])
    await until(lambda: runtime.keeper.ready)

    assert runtime.residency.state(tag) == "quarantined"
    runtime.close()
