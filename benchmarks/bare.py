"""The bare engine: the same file as the service's, opened the same way, in perfect batches.

No HTTP, no queue, nothing waits: all texts are known beforehand, sorted by length and cut at the
token budget, sessions and threads that a sweep finds best.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median

from cli.console import err
from models.artifact import Model
from models.engine.choose import open_engine
from models.manifest import TOKENIZER, Manifest
from models.tokens import Tokenizer

Rows = Sequence[Sequence[int]]
BUDGETS = (64, 128, 256, 512, 1024, 2048)


@dataclass(frozen=True, slots=True)
class Way:
    """How batches are run: `lanes` at a time on `threads` cores each, of so many tokens at most."""

    lanes: int
    threads: int
    tokens: int

    def __str__(self) -> str:
        """Spell it for people."""
        return f"{self.lanes} lanes x {self.threads} threads, {self.tokens} tokens"


@dataclass(frozen=True, slots=True)
class Run:
    """One run over all rows."""

    seconds: float
    texts: int
    tokens: int
    padding: int

    @property
    def throughput(self) -> float:
        """Texts a second."""
        return self.texts / self.seconds

    @property
    def padding_share(self) -> float:
        """Padding, as a share of all tokens that were computed."""
        return self.padding / (self.tokens + self.padding)


def open_one(folder: Path, threads: int) -> Model:
    """Open a stored model as the service does."""
    home = folder.parents[2]
    return Model(Manifest.read(folder), open_engine("onnx", folder, threads, home))


def encode(folder: Path, texts: Sequence[str]) -> list[list[int]]:
    """Return texts as a model's token ids."""
    return Tokenizer.read(folder / TOKENIZER).encode(texts, Manifest.read(folder).max_tokens)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def divisions() -> list[tuple[int, int]]:
    """Return ways to use the cores: (lanes, threads)."""
    return [(1, cores()), (cores(), 1), (cores(), cores())]


@contextmanager
def lanes(folder: Path, way: Way) -> Iterator[list[Model]]:
    """Open one session that all lanes run, as the service does."""
    model = open_one(folder, way.threads)
    try:
        yield [model] * way.lanes
    finally:
        model.close()


def run(opened: Sequence[Model], batches: Sequence[Rows]) -> Run:
    """Run the batches, each lane taking the next when it is free."""
    queue = iter(batches)

    def lane(model: Model) -> None:
        for batch in queue:  # one list iterator: each batch is given out once
            model.scores(batch)

    with ThreadPoolExecutor(len(opened)) as pool:
        started = time.perf_counter()
        list(pool.map(lane, opened))
        seconds = time.perf_counter() - started
    tokens = sum(len(row) for batch in batches for row in batch)
    computed = sum(len(batch) * max(map(len, batch)) for batch in batches)
    return Run(seconds, sum(map(len, batches)), tokens, computed - tokens)


def perfect(rows: Rows, tokens: int, seed: int = 0) -> list[Rows]:
    """Sort by length and cut at the budget, padding counted; the batches in random order."""
    batches: list[Rows] = []
    batch: list[Sequence[int]] = []
    for row in sorted(rows, key=len):
        if batch and len(row) * (len(batch) + 1) > tokens:
            batches.append(batch)
            batch = []
        batch.append(row)
    if batch:
        batches.append(batch)
    random.Random(seed).shuffle(batches)  # noqa: S311
    return batches


def fixed(rows: Rows, size: int) -> list[Rows]:
    """Cut into batches of a fixed number of texts, in the order in which they came."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def sweep(folder: Path, rows: Rows, budgets: Sequence[int] = BUDGETS) -> dict[Way, float]:
    """Return the throughput of every way, fastest first."""
    found = {}
    for (lane_count, threads), tokens in product(divisions(), budgets):
        way = Way(lane_count, threads, tokens)
        err.print(f"bare engine, {way}", highlight=False)
        with lanes(folder, way) as opened:
            run(opened, perfect(rows[:8], tokens))
            found[way] = run(opened, perfect(rows, tokens)).throughput
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def alone(model: Model, rows: Rows) -> float:
    """Return the median seconds of one text at a time."""
    seconds = []
    for row in rows:
        started = time.perf_counter()
        model.scores([row])
        seconds.append(time.perf_counter() - started)
    return median(seconds)
