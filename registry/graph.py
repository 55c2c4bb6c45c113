"""ONNX graphs: fused, quantised, saved with one weights file.

The word embeddings stay fp32; so do pooler and classifier, which see one token.
"""

from pathlib import Path
from typing import Any

from models.manifest import MODEL, WEIGHTS

BLOCK = 32
"""Weights that share one scale. 128 is hardly faster on AVX2 and changes scores twice as much."""
INT8 = 4
"""`accuracy_level` of MatMulNBits: activations in 8 bits by block, the sums exact in int32."""
PRECISION = f"int8-block{BLOCK}-v32"
"""8-bit blocks, value projections in fp32."""
VALUE = 2
"""Which input of MultiHeadAttention is V."""
LARGE = 2**20
"""Bytes; smaller embedding tables stay in the graph while it is fused."""
SMALLEST_EXTERNAL = 1024
"""Bytes; smaller tensors stay in model.onnx."""
FUSED_AS_BERT = frozenset(
    {"bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta", "xlm-roberta-xl"}
)
"""Model types whose graphs onnxruntime's BERT patterns know; the rest is quantised as it is."""


def small(path: Path, model_type: str, heads: int, hidden: int) -> Any:  # noqa: ANN401
    """Return the graph of a file, fused and quantised.

    Embedding tables are cut to a row meanwhile: each step below copies all that it is given, and a
    table of 250,000 rows would be in memory six times.
    """
    import onnx  # noqa: PLC0415  (heavy)

    model = onnx.load(path)
    tables = _cut_tables(model)
    model = quantise(fuse(model, model_type, heads, hidden))
    for tensor in model.graph.initializer:
        if tensor.name in tables:
            tensor.dims[0], tensor.raw_data = tables.pop(tensor.name)
    if tables:
        message = f"the fused graph lost {sorted(tables)}"
        raise ValueError(message)
    return model


def _cut_tables(model: Any) -> dict[str, tuple[int, bytes]]:  # noqa: ANN401
    """Leave one row of each large tensor that is only looked up in; return what they were."""
    users: dict[str, set[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, set()).add(node.op_type)
    tables = {}
    for tensor in model.graph.initializer:
        if users.get(tensor.name) == {"Gather"} and len(tensor.raw_data) >= LARGE:
            rows, content = tensor.dims[0], tensor.raw_data
            tables[tensor.name] = rows, content
            tensor.dims[0], tensor.raw_data = 1, content[: len(content) // rows]
    return tables


def fuse(model: Any, model_type: str, heads: int, hidden: int) -> Any:  # noqa: ANN401
    """Return a graph with attention, layer norm and GELU fused, where it is known.

    Attention becomes MultiHeadAttention: the fused `Attention` would swallow the Q, K and V
    weights, and the quantiser would not see them.
    """
    from onnxruntime.transformers.fusion_options import FusionOptions  # noqa: PLC0415  (heavy)
    from onnxruntime.transformers.optimizer import optimize_model  # noqa: PLC0415

    if model_type not in FUSED_AS_BERT:
        return model
    options = FusionOptions("bert")
    options.use_multi_head_attention = True
    fused = optimize_model(model, "bert", heads, hidden, optimization_options=options, opt_level=0)
    return fused.model


def quantise(model: Any) -> Any:  # noqa: ANN401  (onnx.ModelProto, which has no types)
    """Return the graph with each constant matrix product in 8-bit blocks, but one per layer.

    The value projections stay fp32: a twelfth of the body's weights, and without them scores
    change less by 19 % (nl) to 38 % (th), measured on interface texts of Django and Wagtail.
    """
    return in_blocks(model, BLOCK, value_projections(model))


def in_blocks(model: Any, size: int, exceptions: list[str]) -> Any:  # noqa: ANN401
    """Return the graph with constant matrix products in 8-bit blocks, but those in `exceptions`."""
    from onnxruntime.quantization.matmul_nbits_quantizer import (  # noqa: PLC0415  (heavy)
        DefaultWeightOnlyQuantConfig,
        MatMulNBitsQuantizer,
    )

    how = DefaultWeightOnlyQuantConfig(
        block_size=size, is_symmetric=True, accuracy_level=INT8, bits=8
    )
    quantiser = MatMulNBitsQuantizer(model, algo_config=how, nodes_to_exclude=exceptions)
    quantiser.process()
    return quantiser.model.model


def value_projections(model: Any) -> list[str]:  # noqa: ANN401
    """Return the names of the products that make V; empty where attention was not fused."""
    makers = {output: node for node in model.graph.node for output in node.output}
    fused = [node for node in model.graph.node if node.op_type == "MultiHeadAttention"]
    return [makers[node.input[VALUE]].name for node in fused]


def save(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Write `model.onnx` and `model.bin`."""
    import onnx  # noqa: PLC0415  (heavy)

    onnx.save_model(
        model,
        folder / MODEL,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=WEIGHTS,
        size_threshold=SMALLEST_EXTERNAL,
    )
