"""Attention, layer norm and GELU as one operator each, where the patterns are known."""

from typing import Any

import numpy as np

TYPES = "token_type_ids"
FUSED_AS_BERT = frozenset(
    {"bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta", "xlm-roberta-xl"}
)
"""Model types whose graphs onnxruntime's BERT patterns know; the rest stays as it is."""


def fuse(model: Any, model_type: str, heads: int, hidden: int) -> Any:  # noqa: ANN401
    """Return a graph (an onnx.ModelProto) with its patterns fused.

    Attention becomes MultiHeadAttention: the fused `Attention` would swallow the Q, K and V
    weights, and the quantiser would not see them. Embeddings stay look-ups, for the same reason.
    """
    from onnxruntime.transformers.fusion_options import FusionOptions  # noqa: PLC0415  (heavy)
    from onnxruntime.transformers.optimizer import optimize_model  # noqa: PLC0415

    if model_type not in FUSED_AS_BERT:
        return without_token_types(with_fast_norms(model))
    options = FusionOptions("bert")
    options.use_multi_head_attention = True
    options.enable_embed_layer_norm = False
    fused = optimize_model(model, "bert", heads, hidden, optimization_options=options, opt_level=0)
    return without_token_types(with_fast_norms(fused.model))


def with_fast_norms(model: Any) -> Any:  # noqa: ANN401
    """Return the graph with sums before its layer norms that onnxruntime does not fuse into them.

    SkipLayerNormalization takes five times as long as Sum and LayerNormalization (onnxruntime
    1.31.1, one core with AVX2: 496 and 95 us for 224 tokens of 384).
    """
    nodes = [part for node in model.graph.node for part in _split(node)]
    normed = {node.input[0] for node in nodes if node.op_type == "LayerNormalization"}
    for node in nodes:
        if node.op_type == "Add" and node.output[0] in normed:
            node.op_type = "Sum"
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _split(node: Any) -> list[Any]:  # noqa: ANN401
    from onnx import helper  # noqa: PLC0415  (heavy)

    if node.op_type != "SkipLayerNormalization" or len(node.output) != 1:
        return [node]
    first, second, *norm = node.input
    summed = f"{node.output[0]}_summed"
    epsilon = next(helper.get_attribute_value(a) for a in node.attribute if a.name == "epsilon")
    return [
        helper.make_node("Sum", [first, second, *norm[2:]], [summed], name=f"{node.name}_sum"),
        helper.make_node(
            "LayerNormalization",
            [summed, *norm[:2]],
            list(node.output),
            name=f"{node.name}_norm",
            epsilon=epsilon,
        ),
    ]


def without_token_types(model: Any) -> Any:  # noqa: ANN401
    """Return the graph without the input token_type_ids: one text has no other type than 0."""
    from onnx import helper, numpy_helper  # noqa: PLC0415  (heavy)

    asked = [value for value in model.graph.input if value.name == TYPES]
    for value in asked:
        model.graph.input.remove(value)
        zero = numpy_helper.from_array(np.array(0, np.int64), f"{TYPES}_zero")
        model.graph.initializer.append(zero)
        node = helper.make_node("Mul", ["input_ids", zero.name], [TYPES], name=TYPES)
        model.graph.node.insert(0, node)
    return model
