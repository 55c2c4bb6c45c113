"""A service without its web server, over a store whose routes are moved."""

import asyncio
import math
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.engine import prepacked
from models.identity import Tag
from models.leases import Leases
from models.manifest import Manifest
from models.routes import Route
from models.settings import Settings
from models.store import Store
from serving.assemble import Runtime, assemble
from serving.call import Call
from serving.result import Prediction, Question
from tests.tiny import write_routes

ALL_MODELS = 2**30
"""Room for more than there are."""
ONE_MODEL = 7 * 2**20
"""Room for a tiny model of 4 MiB and its tokenizer, and not for two."""


@dataclass
class World:
    """A store whose routes are moved, and a service over it without its web server."""

    store: Store
    tags: dict[int, Tag]
    runtime: Runtime = field(init=False)
    routes: dict[str, Route] = field(default_factory=dict)

    def copy(self, folder: Path, memory: int) -> "World":
        """Return a service over a copy of the store."""
        copied = World(Store(folder), self.tags)
        shutil.copytree(self.store.home, folder, dirs_exist_ok=True)
        copied.runtime = assemble(Settings(threads=1, memory=memory), copied.store)
        return copied

    def route(self, champion: int, challenger: int | None = None, **how: float) -> None:
        """Replace the routes as a sync does, and let the service look."""
        self.routes["de"] = Route(
            champion=self.tags[champion],
            challenger=self.tags[challenger] if challenger else None,
            share=how.get("share", 0.0),
            shadow=bool(how.get("shadow")),
        )
        write_routes(self.store, self.routes)
        self.runtime.swap.look()

    async def ask(self, text: str = "good", key: str = "") -> int:
        """Let a text be answered; returns the version, whose own answer it must be."""
        answer = await self.answer(text, key)
        version = answer.model.version
        assert answer.scores["positive"] == pytest.approx(1 / (1 + math.exp(-version)), abs=1e-4)
        return version

    async def answer(self, text: str = "good", key: str = "") -> Prediction:
        """Let a text be answered."""
        return await self.runtime.path.answer(Question(text=text, language="de"), Call(key=key))

    def state(self, version: int) -> str:
        """Return whether a version is in memory."""
        return self.runtime.residency.state(self.tags[version])

    def why(self) -> str:
        """Return why the German route is not as it should be; empty where it is."""
        waiting = self.runtime.swap.waiting("de")
        return waiting.why if waiting else ""

    def is_settled(self) -> bool:
        """Say whether all is as the routes want it, and nothing is being done about it."""
        return not self.why() and not self.runtime.swap._attempts

    def swaps(self, outcome: str) -> float:
        """Return how often a swap has ended so."""
        for line in self.runtime.metrics().decode().splitlines():
            if line.startswith(f'polysent_swaps_total{{language="de",outcome="{outcome}"}}'):
                return float(line.split()[-1])
        return 0.0

    def is_free(self, version: int) -> bool:
        """Say whether a version could be removed now."""
        with Leases(self.store).removing(self.tags[version]) as nobody:
            return nobody

    @contextmanager
    def nothing_opens(self) -> Iterator[None]:
        """Keep the threads busy that open things."""
        gate = threading.Event()
        for _ in range(2):
            self.runtime.residency._loader.submit(gate.wait, 10)
        try:
            yield
        finally:
            gate.set()

    def spoil(self, version: int) -> None:
        """Make a model one that can't be opened, though its files look whole."""
        digest = Manifest.read(self.store.path(self.tags[version])).digest
        file = prepacked.derived(self.store.home, digest) / "model.onnx"
        times = file.stat().st_atime_ns, file.stat().st_mtime_ns
        file.write_bytes(bytes(file.stat().st_size))
        os.utime(file, ns=times)


async def until(so: Callable[[], bool], look: Callable[[], None] = lambda: None) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(10):
        while not so():
            look()
            await asyncio.sleep(0.01)
