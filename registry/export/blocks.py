"""Weights in 8-bit blocks: each few weights of a column share a scale (MatMulNBits)."""

from collections.abc import Collection

import numpy as np

from registry.export.files import CONTRIB, Array, Edit, Graph

BITS = 8
INT8 = 4
"""`accuracy_level` of MatMulNBits: activations in 8 bits by block, the sums exact in int32."""
VALUE = 2
"""Which input of MultiHeadAttention is V."""


def blocks(graph: Graph, size: int, exceptions: Collection[str] = ()) -> Graph:
    """Return the graph with constant products in blocks of `size`, but those in `exceptions`.

    A product is named by its output.
    """
    from onnx import helper  # noqa: PLC0415  (heavy)

    edit, tensors = Edit(), graph.tensors()
    for node in graph.products():
        (output,) = node.output
        if output in exceptions:
            continue
        weights = graph.array(tensors[node.input[1]])
        packed, scales = pack(weights, size)
        edit.nodes[output] = [
            helper.make_node(
                "MatMulNBits",
                [
                    node.input[0],
                    edit.constant(f"{node.input[1]}_Q8", packed),
                    edit.constant(f"{node.input[1]}_scales", scales),
                ],
                [output],
                name=f"{node.name}_Q8",
                domain=CONTRIB,
                K=weights.shape[0],
                N=weights.shape[1],
                bits=BITS,
                block_size=size,
                accuracy_level=INT8,
            )
        ]
    return edit.applied(graph)


def pack(weights: Array, size: int) -> tuple[Array, Array]:
    """Return bytes (columns, blocks, size) and scales (columns, blocks) of a matrix in fp32."""
    from onnxruntime.capi import _pybind_state as kernels  # noqa: PLC0415  (heavy)

    rows, columns = weights.shape
    count = -(-rows // size)
    padded = np.zeros((count * size, columns), np.float32)
    padded[:rows] = weights
    packed = np.zeros((columns, count, size), np.uint8)
    scales = np.zeros((columns, count), np.float32)
    zeros = np.zeros((columns, count), np.uint8)
    kernels.quantize_matmul_8bits(packed, padded, scales, zeros, size, columns, rows, True)  # noqa: FBT003
    return packed, scales


def value_projections(graph: Graph) -> frozenset[str]:
    """Return the products that make V; empty where attention was not fused."""
    fused = [node for node in graph.model.graph.node if node.op_type == "MultiHeadAttention"]
    return frozenset(node.input[VALUE] for node in fused)


def down_projections(graph: Graph) -> frozenset[str]:
    """Return the products that narrow: those that see the outliers behind an activation."""
    tensors = graph.tensors()
    return frozenset(
        node.output[0]
        for node in graph.products()
        if tensors[node.input[1]].dims[0] > tensors[node.input[1]].dims[1]
    )
