"""The word table in two forms: the rows of kept pieces in 8 bits, all others in 3.

Each token finds its row in one of them, in the graph itself: no tokenizer changes, no id, and
a text of kept pieces has the logits of the untrimmed graph, bit for bit.
"""

from collections.abc import Sequence

import numpy as np

from registry.export.coarse import EIGHTS, FOURS, Coarse
from registry.export.files import Edit, Graph, Node
from registry.export.tables import scaled, whole

IDS = "input_ids"


def trimmed(graph: Graph, pieces: Sequence[int]) -> Graph:
    """Return the graph with the word rows of `pieces`, ids rising, in 8 bits, and others in 3.

    ValueError where it has no word table in its weights file, or one of an odd width.
    """
    from onnx import helper  # noqa: PLC0415  (heavy)

    edit, make = Edit(), helper.make_node
    node = words(graph)
    table, ids = node.input
    (output,) = node.output
    values = graph.array(graph.tensors()[table])
    kept = np.asarray(pieces)
    others = np.setdiff1d(np.arange(len(values)), kept)
    places = np.zeros(whole(len(values)), np.int32)
    places[kept] = np.arange(len(kept))
    places[others] = -1 - np.arange(len(others))
    name = f"{output}_trim"
    zero = edit.constant("trim_zero", 0, np.int32)
    last = edit.constant("trim_last", [-1], np.int64)
    edit.nodes[output] = [
        make("Gather", [edit.constant(f"{table}_places", places), ids], [f"{name}_place"]),
        make("Max", [f"{name}_place", zero], [f"{name}_kept"]),
        *scaled(edit, table, values[kept], f"{name}_kept", f"{name}_whole"),
        make("BitwiseNot", [f"{name}_place"], [f"{name}_turned"]),
        make("Max", [f"{name}_turned", zero], [f"{name}_other"]),
        *_looked_up(edit, table, Coarse.of(values, others), f"{name}_other", f"{name}_coarse"),
        make("GreaterOrEqual", [f"{name}_place", zero], [f"{name}_covered"]),
        make("Unsqueeze", [f"{name}_covered", last], [f"{name}_mask"]),
        make("Where", [f"{name}_mask", f"{name}_whole", f"{name}_coarse"], [output]),
    ]
    return edit.applied(graph)


def words(graph: Graph) -> Node:
    """Return the look-up of the texts' own ids; ValueError where there is none."""
    for node in graph.lookups():
        if node.input[1] == IDS:
            return node
    message = "the graph has no table of word embeddings to trim"
    raise ValueError(message)


def _looked_up(edit: Edit, table: str, rows: Coarse, ids: str, output: str) -> list[Node]:
    from onnx import helper  # noqa: PLC0415  (heavy)

    make = helper.make_node
    spread = edit.constant(f"{table}_spread", rows.spread)
    mean = edit.constant(f"{table}_mean", rows.mean)
    steps = edit.constant(f"{table}_steps", rows.steps)
    fours = edit.constant(f"{table}_fours", rows.fours)
    eights = edit.constant(f"{table}_eights", rows.eights)
    return [
        *_unpacked(edit, fours, edit.constant("trim_fours", FOURS), ids, f"{output}_fours"),
        *_unpacked(edit, eights, edit.constant("trim_eights", EIGHTS), ids, f"{output}_eights"),
        make("Add", [f"{output}_fours", f"{output}_eights"], [f"{output}_level"]),
        make("Gather", [steps, ids], [f"{output}_step"]),
        make("Mul", [f"{output}_level", f"{output}_step"], [f"{output}_stepped"]),
        make("Mul", [f"{output}_stepped", spread], [f"{output}_spread"]),
        make("Add", [f"{output}_spread", mean], [output]),
    ]


def _unpacked(edit: Edit, table: str, meaning: str, ids: str, output: str) -> list[Node]:
    """Return the nodes that look rows of bytes up, and then what each byte stands for."""
    from onnx import TensorProto, helper  # noqa: PLC0415  (heavy)

    flat = edit.constant("trim_flat", [0, 0, -1], np.int64)
    return [
        helper.make_node("Gather", [table, ids], [f"{output}_bytes"]),
        helper.make_node("Cast", [f"{output}_bytes"], [f"{output}_places"], to=TensorProto.INT32),
        helper.make_node("Gather", [meaning, f"{output}_places"], [f"{output}_values"]),
        helper.make_node("Reshape", [f"{output}_values", flat], [output]),
    ]
