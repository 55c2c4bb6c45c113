"""Products in int8 with one scale a token, and the channels that would spoil it in fp32.

ONNX Runtime's dynamic quantisation takes one scale for a whole batch: what a text is answered
depends on its neighbours, and a few channels with values tens of times those of the others eat the
range. Here each token has its own scale, and each input of a product leaves a handful of channels,
found by running the model, to a small product in fp32.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from registry.export.files import CONTRIB, Array, Edit, Graph, Node, by_input
from registry.export.probe import Seen
from registry.export.rounding import factor, nearest, safe_scales, steered

SHALLOW = 0.2
"""What lies this little below zero is lifted above it: GELU goes down to -0.17."""
DEEP = 10
"""How many times SHALLOW the highest value must be for that."""
STEADY = 2.0
"""Where the 99th percentile of the tokens' maxima is at most so many times their median, as behind
layer norms, one scale serves all."""
ROOMS = (1.0, 1.2, 1.4, 1.7, 2.0, 2.5)
"""Times the median: what that scale's highest value may be; what is above it is cut."""
MIXING = frozenset({"MultiHeadAttention"})
"""Operators whose outputs have no loud channels."""
MIDDLE = 128
"""Where zero lies among the integers, unless all are above it."""
TINY = 1e-12
"""Added to each token's scale: a token may be all zero."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How many channels of an input stay fp32: few, or more where the product narrows."""

    channels: int = 8
    channels_narrowing: int = 16
    fixed: bool = True
    """Whether inputs whose tokens are all alike have one scale, known beforehand."""
    steered: bool = False
    """Whether the weights below make up for what was rounded above (GPTQ)."""


@dataclass(frozen=True, slots=True)
class Source:
    """The input of some products, as the graph has it in int8."""

    integers: str
    zero: str
    step: str
    """What one integer stands for, before `scale`."""
    scale: str
    """Of each token; empty where one scale serves all."""
    lifted: float
    """What was added to every value."""
    channels: Array
    """Those that do not count in `integers`, rising: their weights must be zero there."""
    kept: str
    """Their values; empty where there are none."""


def rows(graph: Graph, seen: Seen, recipe: Recipe, exceptions: Collection[str] = ()) -> Graph:
    """Return the graph with constant products in int8, but those whose output is an exception."""
    edit, tensors = Edit(), graph.tensors()
    taken = [node for node in graph.products() if node.output[0] not in exceptions]
    mixed = {node.output[0] for node in graph.model.graph.node if node.op_type in MIXING}
    for name, nodes in by_input(taken).items():
        weights = [graph.array(tensors[node.input[1]]) for node in nodes]
        values = seen(name)
        narrows = weights[0].shape[0] > weights[0].shape[1]
        count = recipe.channels_narrowing if narrows else recipe.channels
        channels = loud(values, 0 if name in mixed else count)
        step = fixed_step(without(values, channels), weights) if recipe.fixed else 0.0
        before, source = _source(edit, name, values, channels, step)
        together = factor(values, channels) if recipe.steered else None
        for node, matrix in zip(nodes, weights, strict=True):
            after = _product(edit, node, matrix, source, together)
            edit.nodes[node.output[0]] = before + after
            before = []
    return edit.applied(graph)


def loud(values: Array, count: int) -> Array:
    """Return the channels without which tokens would have the smallest scales, rising.

    `values` is (tokens, channels). One by one: the one that lowers the sum of the tokens' squared
    maxima most.
    """
    left = np.abs(values)
    found: list[int] = []
    for _ in range(min(count, left.shape[1] // 4)):
        two = np.partition(left, -2, axis=1)[:, -2:]
        gains = np.zeros(left.shape[1])
        np.add.at(gains, left.argmax(axis=1), two[:, 1] ** 2 - two[:, 0] ** 2)
        found.append(int(gains.argmax()))
        left[:, found[-1]] = 0
    return np.array(sorted(found), np.int64)


def without(values: Array, channels: Array) -> Array:
    """Return values with some channels at zero."""
    quiet = np.array(values)
    quiet[:, channels] = 0
    return quiet


def fixed_step(values: Array, weights: Sequence[Array]) -> float:
    """Return the step that loses least of products with these weights; 0 where tokens differ much.

    Errors of a channel count as its weights do.
    """
    highest = np.abs(values).max(axis=1)
    typical, high = np.quantile(highest, (0.5, 0.99))
    if not 0 < high <= STEADY * typical:
        return 0.0
    heard = np.sum([np.square(matrix).sum(axis=1) for matrix in weights], axis=0)

    def lost(step: float) -> float:
        rounded = np.clip(np.round(values / step), -128, 127) * step
        return float((np.square(values - rounded) * heard).sum())

    return float(min((room * typical / 127 for room in ROOMS), key=lost))


def _source(
    edit: Edit, name: str, values: Array, channels: Array, step: float
) -> tuple[list[Node], Source]:
    """Return the nodes that bring an input into int8; each token has its scale if `step` is 0."""
    from onnx import helper  # noqa: PLC0415  (heavy)

    kept = f"{name}_rows_kept" if len(channels) else ""
    aside = []
    if kept:
        places = edit.constant(f"{name}_rows_channels", channels)
        aside.append(helper.make_node("Gather", [name, places], [kept], axis=-1))
    if step:
        zero = edit.constant("rows_zero_0", MIDDLE, np.uint8)
        fixed = edit.constant(f"{name}_rows_step", step, np.float32)
        integers = f"{name}_rows_int8"
        nodes = [helper.make_node("QuantizeLinear", [name, fixed, zero], [integers])]
        return aside + nodes, Source(integers, zero, fixed, "", 0.0, channels, kept)
    quiet = without(values, channels)
    nodes, source = _by_token(edit, name, quiet, channels, kept)
    return aside + nodes, source


def _by_token(
    edit: Edit, name: str, quiet: Array, channels: Array, kept: str
) -> tuple[list[Node], Source]:
    """Return the nodes that give each token a scale of its own.

    QuantizeLinear takes a scale for each row of a matrix, and a zero: hence the shapes.
    """
    from onnx import helper, numpy_helper  # noqa: PLC0415  (heavy)

    nodes: list[Node] = []

    def add(kind: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        nodes.append(helper.make_node(kind, inputs, [f"{name}_rows_{len(nodes)}"], **attributes))
        return str(nodes[-1].output[0])

    constant, width = edit.constant, quiet.shape[1]
    lift = bool(quiet.min() >= -SHALLOW and quiet.max() >= DEEP * SHALLOW)
    lowest = np.array([0 if lift else MIDDLE], np.uint8)
    given = name
    if kept:
        mask = np.ones(width, np.float32)
        mask[channels] = 0
        given = add("Mul", name, constant(f"{name}_rows_mask", mask))
    if lift:
        given = add("Add", given, constant("rows_lift", SHALLOW, np.float32))
    high = given if lift else add("Abs", given)
    top = add("ReduceMax", high, constant("rows_axes", [-1], np.int64), keepdims=1)
    steps = constant(f"rows_steps_{int(lift)}", 1 / (255 if lift else 127), np.float32)
    scale = add("Add", add("Mul", top, steps), constant("rows_tiny", TINY, np.float32))
    scales = add("Reshape", scale, constant("rows_row", [-1], np.int64))
    matrix = add("Reshape", given, constant(f"rows_matrix_{width}", [-1, width], np.int64))
    zeros = add("ConstantOfShape", add("Shape", scales), value=numpy_helper.from_array(lowest))
    rounded = add("QuantizeLinear", matrix, scales, zeros, axis=0)
    integers = add("Reshape", rounded, add("Shape", given))
    zero = constant(f"rows_zero_{int(lift)}", lowest[0])
    one = constant("rows_one", 1, np.float32)
    lifted = SHALLOW if lift else 0.0
    return nodes, Source(integers, zero, one, scale, lifted, channels, kept)


def _product(
    edit: Edit, node: Node, weights: Array, source: Source, together: Array | None
) -> list[Node]:
    """Return the nodes of one product; with `together`, its rounding is steered."""
    from onnx import helper  # noqa: PLC0415  (heavy)

    (output,) = node.output
    quiet = np.array(weights, np.float32)
    quiet[source.channels] = 0
    scales = safe_scales(quiet)
    integers = nearest(quiet, scales) if together is None else steered(quiet, scales, together)
    integers[source.channels] = 0
    make = helper.make_node
    columns = [
        edit.constant(f"{output}_rows_weights", integers),
        source.step,
        edit.constant(f"{output}_rows_scales", scales),
    ]
    nodes = [
        make(
            "MatMulIntegerToFloat",
            [source.integers, *columns, source.zero],
            [f"{output}_rows_product"],
            domain=CONTRIB,
        )
    ]
    if source.scale:
        nodes.append(make("Mul", [nodes[-1].output[0], source.scale], [f"{output}_rows_scaled"]))
    if source.kept:
        name = f"{output}_rows_kept"
        beside = edit.constant(f"{name}_weights", weights[source.channels], np.float32)
        nodes.append(make("MatMul", [source.kept, beside], [name]))
        nodes.append(make("Add", [nodes[-2].output[0], name], [f"{output}_rows_whole"]))
    if source.lifted:
        sums = (integers.astype(np.float32) * scales).sum(axis=0)
        fallen = edit.constant(f"{output}_rows_fallen", -source.lifted * sums, np.float32)
        nodes.append(make("Add", [nodes[-1].output[0], fallen], [f"{output}_rows_lowered"]))
    nodes[-1].output[0] = output
    return nodes
