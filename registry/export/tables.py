"""Embedding tables in 8 bits: each row has a scale of its own."""

import numpy as np

from registry.export.files import Array, Edit, Graph, Node

LARGE = 2**20
"""Bytes; smaller tables stay as they are."""
STEPS = 127
WHOLE = 64
"""The number of rows is a multiple: the prepacked form lays tensors end to end, and the products
that come to lie at an odd place in it crash (onnxruntime 1.31.1, AVX2)."""
AT_ONCE = 16_384
"""Rows that are in memory while a table is written."""


def eight_bits(graph: Graph) -> Graph:
    """Return the graph with large tables in 8 bits; what is looked up is scaled, row by row."""
    edit, tensors = Edit(), graph.tensors()
    for node in graph.lookups():
        table, ids = node.input
        if np.prod(tensors[table].dims) * 4 < LARGE:
            continue
        (output,) = node.output
        edit.nodes[output] = scaled(edit, table, graph.array(tensors[table]), ids, output)
    return edit.applied(graph)


def scaled(edit: Edit, table: str, values: Array, ids: str, output: str) -> list[Node]:
    """Return the nodes that look `ids` up in a table that is in 8 bits."""
    from onnx import TensorProto, helper  # noqa: PLC0415  (heavy)

    rows, scales = quantised(values)
    name = f"{output}_Q8"
    return [
        helper.make_node("Gather", [edit.constant(f"{table}_Q8", rows), ids], [f"{name}_row"]),
        helper.make_node(
            "Gather", [edit.constant(f"{table}_scales", scales), ids], [f"{name}_scale"]
        ),
        helper.make_node("Cast", [f"{name}_row"], [f"{name}_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_float", f"{name}_scale"], [output]),
    ]


def quantised(table: Array) -> tuple[Array, Array]:
    """Return a table in int8 and the scales (rows, 1) in fp32, both with some rows of zero more."""
    count = whole(len(table))
    rows = np.zeros((count, table.shape[1]), np.int8)
    scales = np.zeros((count, 1), np.float32)
    for start in range(0, len(table), AT_ONCE):
        part = np.asarray(table[start : start + AT_ONCE], np.float32)
        scale = np.abs(part).max(axis=1, keepdims=True) / STEPS
        scale[scale == 0] = 1
        scales[start : start + len(part)] = scale
        rows[start : start + len(part)] = np.round(part / scale)
    return rows, scales


def whole(count: int) -> int:
    """Return how many rows a table of `count` rows is filled up to."""
    return max(1, -(-count // WHOLE)) * WHOLE
