"""ONNX Runtime's dynamic int8: one scale a column of weights, one a batch of activations."""

from collections.abc import Collection

from registry.export.files import Edit, Graph
from registry.export.rounding import nearest, safe_scales


def dynamic(graph: Graph, exceptions: Collection[str] = ()) -> Graph:
    """Return the graph with constant products in dynamic int8, but those in `exceptions`."""
    from onnx import helper  # noqa: PLC0415  (heavy)

    edit, tensors, make = Edit(), graph.tensors(), helper.make_node
    for node in graph.products():
        (output,) = node.output
        if output in exceptions:
            continue
        weights = graph.array(tensors[node.input[1]])
        scales = safe_scales(weights)
        edit.nodes[output] = [
            make(
                "DynamicQuantizeMatMul",
                [
                    node.input[0],
                    edit.constant(f"{node.input[1]}_int8", nearest(weights, scales)),
                    edit.constant(f"{node.input[1]}_scales", scales),
                ],
                [output],
                name=f"{node.name}_int8",
                domain="com.microsoft",
            )
        ]
    return edit.applied(graph)
