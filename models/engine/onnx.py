"""The ONNX Runtime engine: CPU, weights in one external file."""

import threading
from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models import memory
from models.manifest import MODEL, WEIGHTS
from models.tokens import Batch

SESSION = 4 * 2**20
"""Private bytes of one more session that maps its weights, with room for a run of another shape.

`python -m benchmarks.engines`, 2026-11-22, XLM-R-base's body, after a run, freed heap given back:
0.9 MiB (fp32), 1.3 (int8-dynamic), 1.2 (int8-block32-v32).
"""

BESIDES = 8
"""Runs beside others after which a session of its own pays for them."""

ARENA = {
    "max_mem": 0,
    "arena_extend_strategy": 0,
    "initial_chunk_size_bytes": -1,
    "max_dead_bytes_per_chunk": -1,
}
"""ONNX Runtime's own values: it grows by doubling, to some 40 MB for runs of 400 tokens."""
onnxruntime.create_and_register_allocator(
    onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    ),
    onnxruntime.OrtArenaCfg(ARENA),
)


class OnnxEngine:
    """ONNX Runtime over `model.onnx` and `model.bin`, for any number of threads.

    One session runs on all cores, another one, of the same mapped file, on one of them.
    """

    def __init__(self, folder: Path, threads: int, *, prepacked: bool = False) -> None:
        """Open a session; `threads` is how many cores a run may use that is alone.

        A `prepacked` folder was made by models/engine/prepacked.py: its graph is optimised and its
        weights are used where the file is mapped.
        """
        self._folder = folder
        self._prepacked = prepacked
        self._opening = threading.Lock()
        self._besides = 0
        self._wide: onnxruntime.InferenceSession | None = self._open(threads)
        self._narrow = self._wide if threads == 1 else None
        self._takes = {value.name for value in self._wide.get_inputs()}
        copied = 0 if prepacked else size(folder) - memory.spanned(folder)
        self._private = SESSION + max(0, copied)

    @property
    def nbytes(self) -> int:
        """Bytes in memory: pages of the weights that are mapped now, and what was copied."""
        both = self._narrow is not None and self._narrow is not self._wide
        return memory.mapped(self._folder) + self._private + both * SESSION

    def run(self, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
        """Return the logits (rows, labels).

        The session that runs beside others is opened when it was needed a few times: opening
        takes the cores from others, and a model that is asked for now and then must not.
        """
        session = self._wide if alone else self._beside()
        if session is None:
            message = "the engine is closed"
            raise RuntimeError(message)
        return logits(session, batch, self._takes)

    def close(self) -> None:
        """Drop the sessions, and with them the mapping; runs under way end first."""
        self._wide = self._narrow = None

    def _beside(self) -> onnxruntime.InferenceSession | None:
        with self._opening:
            self._besides += 1
            if not self._prepacked or self._besides < BESIDES:
                return self._narrow or self._wide
            if self._narrow is None and self._wide is not None:
                self._narrow = self._open(threads=1)
        return self._narrow

    def _open(self, threads: int) -> onnxruntime.InferenceSession:
        options = session_options(threads)
        if self._prepacked:
            level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.graph_optimization_level = level
        return onnxruntime.InferenceSession(
            self._folder / MODEL, options, providers=["CPUExecutionProvider"]
        )


def logits(
    session: onnxruntime.InferenceSession, batch: Batch, takes: Collection[str] = ()
) -> NDArray[np.float32]:
    """Run a batch in a session; `takes` are the names of its inputs, where they are known."""
    takes = takes or {value.name for value in session.get_inputs()}
    feeds = {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
        "token_type_ids": np.zeros_like(batch.input_ids),
    }
    given = {name: array for name, array in feeds.items() if name in takes}
    (found,) = session.run(["logits"], given)
    return np.asarray(found, dtype=np.float32)


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return what every session here has: one arena for all of them, no thread that spins.

    What a run works in stays in the CPU's caches then, which makes it a seventh faster
    (docs/adr/0006-engine.md); an arena for each session would only grow, and so would the plans
    of memory that a session keeps for each shape of batch.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def size(folder: Path) -> int:
    """Return the bytes of graph and weights on disk."""
    return (folder / MODEL).stat().st_size + (folder / WEIGHTS).stat().st_size
