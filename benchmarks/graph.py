"""The steps of an export over a graph in memory: what structural clones are made with."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from registry.export import blocks, ladder
from registry.export import fuse as fusing
from registry.export.files import Graph

PRECISION = ladder.DEFAULT
BLOCK = 32
"""Weights that share one scale."""
NOWHERE = Path()

fuse = fusing.fuse


def quantise(model: Any) -> Any:  # noqa: ANN401  (onnx.ModelProto, which has no types)
    """Return the graph as PRECISION has it, but for its embeddings."""
    return in_blocks(model, BLOCK, value_projections(model))


def in_blocks(model: Any, size: int, exceptions: Collection[str]) -> Any:  # noqa: ANN401
    """Return the graph with constant products in 8-bit blocks, but those in `exceptions`."""
    return blocks.blocks(Graph(model, NOWHERE), size, exceptions).model


def value_projections(model: Any) -> list[str]:  # noqa: ANN401
    """Return the outputs of the products that make V; empty where attention was not fused."""
    return sorted(blocks.value_projections(Graph(model, NOWHERE)))


def save(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Write `model.onnx` and `model.bin`; the graph is used up."""
    Graph(model, NOWHERE).save(folder)
