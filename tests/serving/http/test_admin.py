import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from models.settings import Settings
from models.store import Store
from serving.assemble import Runtime, assemble
from serving.http import admin, memory
from serving.http.access import Access
from serving.http.asked import beside, furnish
from serving.http.edge import Edge
from serving.http.keyring import Keyring
from serving.http.limits import Limits
from tests.tiny import serve_tiny, write_routes

TOKEN = "let-me-in"  # noqa: S105  (of this test)
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with tiny models."""
    store = Store(tmp_path)
    serve_tiny(store, "de", "en", "pt")
    return store


@pytest.fixture
async def runtime(store: Store) -> AsyncIterator[Runtime]:
    """Return a running service without its web server."""
    runtime = assemble(Settings(threads=1), store)
    yield runtime
    runtime.close()


@pytest.fixture
async def client(runtime: Runtime, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the routes, behind the edge, on this machine."""
    app = beside()
    app.include_router(admin.routes)
    app.include_router(memory.routes)
    furnish(app, runtime, Settings())
    access = Access(Keyring(tmp_path / "keys.json"))
    access.trust(TOKEN)
    edge = Edge(app, Limits(1024, 60), access=access)
    transport = httpx.ASGITransport(edge)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize("verb", ["pin", "unpin", "evict"])
async def test_change_needs_the_token(
    client: httpx.AsyncClient, runtime: Runtime, verb: str
) -> None:
    """A problem that says how to send it; nothing has changed."""
    wrong = [
        b"",
        b"Bearer",
        b"Bearer wrong",
        b"Basic let-me-in",
        b"Bearer let-me-inx",
        b"Bearer \xff",
    ]
    for headers in [{}, *({b"Authorization": each} for each in wrong)]:
        answer = await client.post(f"/models/de/{verb}", headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.text
    assert not runtime.keeper.pinned


async def test_reading_needs_none(client: httpx.AsyncClient) -> None:
    """As /languages."""
    listed = (await client.get("/models")).json()
    explained = (await client.get("/models/de")).json()

    assert [row["language"] for row in listed["models"]] == ["de", "en", "pt"]
    assert explained["model"] == listed["models"][0]
    assert explained["why"]
    assert explained["request"]


async def test_pinned_model_is_open_when_it_is_answered(client: httpx.AsyncClient) -> None:
    """And the answer says so."""
    row = (await client.post("/models/de/pin", headers=ALLOWED)).json()

    assert (row["state"], row["pinned"], row["loads"]) == ("resident", True, 1)
    assert (await client.get("/models/de")).json()["model"]["pinned"]


async def test_language_is_looked_up_as_that_of_a_text(client: httpx.AsyncClient) -> None:
    """A region has the model of its language, what has none is a problem."""
    row = (await client.post("/models/pt-BR/pin", headers=ALLOWED)).json()
    assert (row["language"], row["pinned"]) == ("pt", True)

    for language, status, code in (
        ("sv", 422, "language_unsupported"),
        ("xx", 422, "language_unknown"),
        ("nonsense!", 400, "malformed_language"),
    ):
        for answer in (
            await client.get(f"/models/{language}"),
            await client.post(f"/models/{language}/evict", headers=ALLOWED),
        ):
            assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_pin_that_fails_is_no_pin(
    client: httpx.AsyncClient, runtime: Runtime, store: Store
) -> None:
    """503, and all is as it was."""
    tag = runtime.router.choose("de")
    (store.path(tag) / "model.onnx").write_bytes(b"no model")
    answer = await client.post("/models/de/pin", headers=ALLOWED)

    assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
    assert "retry-after" in answer.headers
    assert not runtime.keeper.pinned


async def test_pin_that_failed_anew_stays_the_pin_it_was(
    client: httpx.AsyncClient, runtime: Runtime, store: Store
) -> None:
    """It was pinned before, and still is."""
    await client.post("/models/de/pin", headers=ALLOWED)
    tag = runtime.router.choose("de")
    runtime.residency.evict(tag)
    shutil.rmtree(store.path(tag))
    assert (await client.post("/models/de/pin", headers=ALLOWED)).status_code == 503
    assert runtime.keeper.pinned == {"de"}


async def test_evicted_model_is_cold_and_opened_by_the_next_pin(client: httpx.AsyncClient) -> None:
    """A pinned one must be let go first."""
    await client.post("/models/de/pin", headers=ALLOWED)
    refused = await client.post("/models/de/evict", headers=ALLOWED)
    assert (refused.status_code, refused.json()["code"]) == (409, "model_pinned")

    unpinned = (await client.post("/models/de/unpin", headers=ALLOWED)).json()
    assert (unpinned["state"], unpinned["pinned"]) == ("resident", False)
    for _ in range(2):
        row = (await client.post("/models/de/evict", headers=ALLOWED)).json()
        assert (row["state"], row["bytes"], row["evictions"]) == ("cold", 0, 1)
    assert (await client.post("/models/de/pin", headers=ALLOWED)).json()["loads"] == 2


async def test_model_in_use_is_closed_after_its_last_text(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """It is cold at once for everyone else."""
    tag = runtime.router.choose("de")
    async with runtime.residency.lease(tag) as model:
        row = (await client.post("/models/de/evict", headers=ALLOWED)).json()
        assert (row["state"], row["evictions"]) == ("cold", 0)
        assert model.nbytes > 0
    assert (await client.get("/models/de")).json()["model"]["evictions"] == 1


async def test_model_that_is_being_opened_is_evicted_once_it_is_open(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """Whoever waits for it is answered."""
    gate = threading.Event()
    for _ in range(2):  # both threads that open things
        runtime.residency._loader.submit(gate.wait, 5)
    tag = runtime.router.choose("de")

    async def use() -> str:
        async with runtime.residency.lease(tag):
            return runtime.residency.state(tag)

    using = asyncio.create_task(use())
    await asyncio.sleep(0)
    evicting = asyncio.create_task(client.post("/models/de/evict", headers=ALLOWED))
    await asyncio.sleep(0.05)
    assert (await client.get("/models/de")).json()["model"]["state"] == "loading"

    gate.set()
    assert await using == "resident"
    assert (await evicting).json()["state"] == "cold"


async def test_store_without_models_is_listed(
    client: httpx.AsyncClient, runtime: Runtime, store: Store
) -> None:
    """Nothing, and a problem for each that is named."""
    write_routes(store, {})
    runtime.swap.look()
    assert (await client.get("/models")).json()["models"] == []
    assert (await client.get("/models/de")).json()["code"] == "nothing_served"
