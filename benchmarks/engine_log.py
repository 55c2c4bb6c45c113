"""What an engine was given, row by row: written in the service, read by the benchmark."""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np


def digest(row: Sequence[int]) -> str:
    """Return the short name of a row of token ids."""
    return hashlib.blake2b(np.asarray(row, np.int64).tobytes(), digest_size=8).hexdigest()


def note(log: Path, rows: Iterable[Sequence[int]]) -> None:
    """Add one run, and the monotonic time at which it starts."""
    run = {"at": time.monotonic(), "rows": [digest(row) for row in rows]}
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(run) + "\n")


def first_runs(log: Path) -> dict[str, float]:
    """Return when each row was first given to the engine; poison makes it run halves again."""
    runs: dict[str, float] = {}
    for line in log.read_text("utf-8").splitlines():
        run = json.loads(line)
        for row in run["rows"]:
            runs.setdefault(row, run["at"])
    return runs
