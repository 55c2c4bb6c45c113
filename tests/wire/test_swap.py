import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from models.artifact import open_artifact
from models.engine import prepacked
from models.identity import Tag
from models.leases import Leases
from models.routes import Route
from models.store import Store
from models.tokens import Tokenizers
from tests.tiny import serve_tiny, write_routes
from tests.wire.conftest import serving

pytestmark = pytest.mark.wire

TEXTS = [f"good {'film ' * number}".strip() for number in range(4)]
EVERY = 0.05
"""Seconds between two requests: 20 a second."""


@dataclass
class World:
    """A service, its store, and what each version answers offline."""

    store: Store
    url: str = ""
    tags: dict[int, Tag] = field(default_factory=dict)
    offline: dict[int, dict[str, float]] = field(default_factory=dict)

    def put(self, version: int) -> None:
        """Put a German model into the store, ready to be opened; it is `version` sure of itself."""
        tag = self.tags[version] = serve_tiny(self.store, "de", version=version, sure=version)["de"]
        prepacked.make(self.store.path(tag), self.store.home)
        answers = open_artifact(self.store.path(tag), Tokenizers(), threads=1)(TEXTS)
        self.offline[version] = {
            text: answer["positive"] for text, answer in zip(TEXTS, answers, strict=True)
        }

    def route(self, champion: int, challenger: int | None = None, share: float = 0.0) -> None:
        """Replace the routes as a sync does."""
        other = self.tags[challenger] if challenger else None
        route = Route(champion=self.tags[champion], challenger=other, share=share)
        write_routes(self.store, {"de": route})


@dataclass
class Asked:
    """What a steady stream of requests was answered: when, by which version."""

    answers: list[tuple[float, int]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def by(self, version: int) -> Callable[[], bool]:
        """Say, at each call, whether the last answer is by that version."""
        return lambda: bool(self.answers) and self.answers[-1][1] == version


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a running service with three versions in its store; the first answers."""
    folder = tmp_path_factory.mktemp("swap")
    world = World(Store(folder / "bentoml"))
    for version in (3, 2, 1):
        world.put(version)
    world.route(1)
    with serving(world.store, folder, POLYSENT_CACHE="0") as (url, _):
        world.url = url
        yield world
        exposition = httpx.get(f"{url}/metrics").text
        assert 'outcome="internal"' not in exposition


def why(world: World) -> str:
    """Return what the service says of a version that does not take part."""
    reason: str = httpx.get(f"{world.url}/models/de").json()["model"]["swap"]["why"]
    return reason


@asynccontextmanager
async def steady(world: World, **headers: str) -> AsyncIterator[Asked]:
    """Ask twenty times a second, whether or not answers come; compare each with the offline one."""
    asked = Asked()
    async with (
        httpx.AsyncClient(base_url=world.url, trust_env=False, timeout=10) as client,
        asyncio.TaskGroup() as group,
    ):

        async def ask(text: str) -> None:
            answer = await client.post("/predict/de", json={"text": text}, headers=headers)
            if answer.status_code != 200:
                asked.failures.append(answer.text)
                return
            said = answer.json()
            version = said["model"]["version"]
            if not math.isclose(
                said["scores"]["positive"], world.offline[version][text], abs_tol=1e-5
            ):
                asked.failures.append(f"another's answer: {said}")
            asked.answers.append((time.monotonic(), version))

        async def stream() -> None:
            number = 0
            while True:
                group.create_task(ask(TEXTS[number % len(TEXTS)]))
                number += 1
                await asyncio.sleep(EVERY)

        streaming = group.create_task(stream())
        await until(lambda: bool(asked.answers))
        yield asked
        streaming.cancel()
    assert not asked.failures


async def until(so: Callable[[], bool]) -> float:
    """Wait until it is so; returns the seconds that took."""
    started = time.monotonic()
    async with asyncio.timeout(10):
        while not so():  # noqa: ASYNC110  (what it waits for tells nobody)
            await asyncio.sleep(0.005)
    return time.monotonic() - started


async def test_versions_take_over_under_traffic_and_nobody_notices(world: World) -> None:
    """Several times to and fro: no failure, each answer its version's, a new one within 1.5 s."""
    took = []
    async with steady(world) as asked:
        for version in (2, 1, 3, 2, 1, 3, 1, 2, 3, 1):
            world.route(version)
            took.append(await until(asked.by(version)))
    assert max(took) < 1.5


async def test_broken_version_never_takes_over(world: World) -> None:
    """The old one goes on, and the service says what is wrong."""
    weights = world.store.path(world.tags[3]) / "model.bin"
    whole = weights.read_bytes()
    async with steady(world) as asked:
        await until(asked.by(1))
        weights.write_bytes(whole[:10])
        world.route(3)
        await asyncio.sleep(1.5)
        assert {version for _, version in asked.answers} == {1}
        assert "model.bin has 10 bytes" in why(world)
        weights.write_bytes(whole)
        await until(asked.by(3))
        world.route(1)
        await until(asked.by(1))


async def test_old_version_is_leased_until_it_is_closed(world: World) -> None:
    """By the service's process: garbage collection, another one, sees it."""

    def is_free(version: int) -> bool:
        with Leases(world.store).removing(world.tags[version]) as nobody:
            return nobody

    async with steady(world) as asked:
        await until(asked.by(1))
        assert not is_free(1)
        assert is_free(2)
        world.route(2)
        await until(asked.by(2))
        await until(lambda: is_free(1))
        assert not is_free(2)
        world.route(1)
        await until(asked.by(1))


async def test_key_decides_who_sees_the_challenger(world: World) -> None:
    """In every form of the protocol; its version may be asked for by number."""
    world.route(1, challenger=2, share=0.5)
    async with httpx.AsyncClient(base_url=world.url, trust_env=False) as client:
        versions = f"{world.url}/v2/models/sentiment-de"
        await until(lambda: httpx.get(versions).json()["versions"] == ["1", "2"])
        for key, version in (("user-0", 1), ("user-1", 2), ("user-2", 1), ("user-6", 2)):
            headers = {"X-Request-Key": key}
            tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["good"]}
            one = await client.post("/predict/de", json={"text": "good"}, headers=headers)
            many = await client.post(
                "/predict_batch",
                json={"items": [{"text": text, "language": "de"} for text in TEXTS]},
                headers=headers,
            )
            line = await client.post(
                "/bulk",
                content=b'{"text": "good", "language": "de"}',
                headers=headers | {"Content-Type": "application/x-ndjson"},
            )
            columns = await client.post(
                "/v2/models/sentiment-de/infer", json={"inputs": [tensor]}, headers=headers
            )
            items = [one.json(), line.json(), *many.json()["items"]]
            assert [item["model"]["version"] for item in items] == [version] * 6
            assert columns.json()["model_version"] == str(version)
            for named in (1, 2):
                asked = await client.post(
                    f"/v2/models/sentiment-de/versions/{named}/infer",
                    json={"inputs": [tensor]},
                    headers=headers,
                )
                assert asked.json()["model_version"] == str(named)
        gone = await client.get("/v2/models/sentiment-de/versions/3")
    assert gone.status_code == 404
    assert "served: 1, 2" in gone.json()["detail"]
    world.route(1)
