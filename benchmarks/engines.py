"""Which engine and precision is the fastest here, and with how many lanes and threads?

`python -m benchmarks.engines`: clones of XLM-R-base; 48 texts of some 23 tokens
(95 % below 60), sorted, cut by a budget of tokens; rounds interleaved. Two figures stand in each
place, the best round and the median: far apart, the machine had other work. A lane is a thread that
runs the same engine. The last table is what one more session takes, freed heap given back.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from rich.table import Table

from benchmarks.fleet import prototype
from benchmarks.options import Options, read
from cli.console import out
from models import memory
from models.engine import Engine, prepacked
from models.engine.choose import open_engine
from models.engine.onnx import OnnxEngine
from models.tokens import Batch, pad

RUNGS = ("fp32", "int8-dynamic", "int8-rows", "int8-block32-v32", "int8-block128")
BUDGETS = (128, 256, 512, 1024)
ALONE = 0
"""In the place of a budget: one text of 26 tokens, by itself."""
LANES_AND_THREADS = ((1, 1), (1, 2), (2, 1), (2, 2))
TEXTS = 48
MIB = 2**20


@dataclass
class Side:
    """One engine with a number of lanes, and the seconds that each load took it."""

    engine: Engine
    lanes: int = 1
    seconds: dict[int, list[float]] = field(default_factory=dict)

    def measure(self, loads: dict[int, list[Batch]]) -> None:
        """Run every load once more."""
        for budget, batches in loads.items():
            started = time.perf_counter()
            drain(self.engine.run, batches, self.lanes)
            self.seconds.setdefault(budget, []).append(time.perf_counter() - started)

    def row(self, loads: dict[int, list[Batch]]) -> Iterator[str]:
        """Yield texts a second for each budget, and the milliseconds of one alone."""
        for budget in loads:
            both = min(self.seconds[budget]), median(self.seconds[budget])
            if budget == ALONE:
                yield " | ".join(f"{taken * 1000:.0f}" for taken in both) + " ms"
            else:
                yield " | ".join(f"{TEXTS / taken:.1f}" for taken in both) + "/s"


def lengths(count: int) -> list[int]:
    """Return lengths like those of reviews and messages, the longest first."""
    drawn = np.random.default_rng(7).lognormal(np.log(20.8), 0.67, count)
    return sorted((int(tokens) for tokens in np.clip(drawn, 4, 160)), reverse=True)


def loads(budgets: Sequence[int]) -> dict[int, list[Batch]]:
    """Return the batches of each budget."""
    return {budget: list(cut(budget)) for budget in budgets} | {ALONE: [pad([[5] * 26], 1)]}


def cut(budget: int) -> Iterator[Batch]:
    """Yield batches of at most so many tokens, padding included."""
    rows: list[list[int]] = []
    for length in lengths(TEXTS):
        if rows and (len(rows) + 1) * len(rows[0]) > budget:
            yield pad(rows, 1)
            rows = []
        rows.append([5] * length)
    yield pad(rows, 1)


def drain(run: Callable[[Batch], object], batches: Sequence[Batch], lanes: int) -> None:
    """Run all batches, each once, on so many threads."""
    left = iter(list(batches))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                batch = next(left, None)
            if batch is None:
                return
            run(batch)

    threads = [threading.Thread(target=work) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def compare(title: str, sides: dict[str, Side], budgets: Sequence[int], rounds: int) -> None:
    """Measure all sides in turns and print the table."""
    todo = loads(budgets)
    for turn in range(rounds + 1):
        for side in sides.values():
            side.measure(todo)
            if turn == 0:  # the first run of a shape allocates
                side.seconds.clear()
    heads = ["alone" if budget == ALONE else f"{budget} tokens" for budget in todo]
    table = Table("", *heads, title=title)
    for name, side in sides.items():
        table.add_row(name, *side.row(todo))
    out.print(table)


def more(folders: dict[str, Path], home: Path) -> Table:
    """Return what one more session takes: portable, and prepacked."""
    table = Table("one more session", "opens in", "private", "mapped", "spanned", "files")
    for name, folder in folders.items():
        form = prepacked.make(folder, home)
        for kind, place in (("portable", folder), ("prepacked", form)):
            first = OnnxEngine(place, 2, prepacked=place == form)
            first.run(pad([[5] * 26], 1))
            memory.trim()
            before, pages = memory.private(), memory.mapped(place)
            started = time.perf_counter()
            second = OnnxEngine(place, 2, prepacked=place == form)
            opened = time.perf_counter() - started
            second.run(pad([[5] * 26], 1))
            memory.trim()
            table.add_row(
                f"{name}, {kind}",
                f"{opened * 1000:.0f} ms",
                f"{(memory.private() - before) / MIB:.1f} MiB",
                f"{(memory.mapped(place) - pages) / MIB:.0f} MiB",
                f"{memory.spanned(place) / 2 / MIB:.0f} MiB",
                f"{sum(path.stat().st_size for path in place.glob('model.*')) / MIB:.0f} MiB",
            )
            first.close()
            second.close()
            del first, second
            memory.trim()
    return table


def made(options: Options) -> dict[str, Path]:
    """Return a clone of each rung, made unless it is there."""
    return {rung: prototype(options, rung) for rung in RUNGS}


def main() -> None:
    """Print the three tables."""
    options = read(__doc__)
    folders = made(options)
    home = options.home / "benchmarks"
    rungs = {f"onnx {rung}": Side(open_engine("onnx", folders[rung], 2, home)) for rung in RUNGS}
    rungs |= {
        f"openvino {rung}": Side(open_engine("openvino", folders[rung], 2, home))
        for rung in ("fp32", "int8-block32-v32")
    }
    compare("1 lane, 2 threads", rungs, BUDGETS, options.rounds)
    lanes = {
        f"{rung}, {lanes} x {threads}": Side(
            open_engine("onnx", folders[rung], threads, home), lanes
        )
        for rung in ("fp32", "int8-dynamic", "int8-block32-v32")
        for lanes, threads in LANES_AND_THREADS
    }
    compare("lanes x threads", lanes, (256, 512), options.rounds)
    rungs.clear()
    lanes.clear()
    out.print(more({rung: folders[rung] for rung in RUNGS[:4]}, home))


if __name__ == "__main__":
    main()
