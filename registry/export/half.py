"""Weights, word embeddings and sums in fp16: the form for a card."""

import numpy as np

from registry.export.files import CONTRIB, Array, Graph

LARGEST = float(np.finfo(np.float16).max)


def half(graph: Graph) -> Graph:
    """Return the graph in fp16; what goes in and comes out keeps its type.

    Large tensors are inputs meanwhile: the conversion would want all of them in one message.
    """
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415  (heavy)
    from onnxruntime.transformers.float16 import convert_float_to_float16  # noqa: PLC0415
    from onnxruntime.transformers.onnx_model import OnnxModel  # noqa: PLC0415

    large = {
        name: tensor
        for name, tensor in graph.tensors().items()
        if tensor.external_data and tensor.data_type == TensorProto.FLOAT
    }
    model = type(graph.model)()
    model.CopyFrom(graph.model)
    small = [tensor for tensor in model.graph.initializer if tensor.name not in large]
    del model.graph.initializer[:]
    model.graph.initializer.extend(small)
    for name, tensor in large.items():
        value = helper.make_tensor_value_info(name, TensorProto.FLOAT, tensor.dims)
        model.graph.input.append(value)
    if all(known.domain != CONTRIB for known in model.opset_import):
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
    answers = [value.name for value in model.graph.output]
    model = convert_float_to_float16(model, keep_io_types=answers)
    OnnxModel(model).topological_sort(is_deterministic=True)
    for value in [value for value in model.graph.input if value.name in large]:
        model.graph.input.remove(value)
    for name, tensor in large.items():
        values = rounded(graph.array(tensor))
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    return Graph(model, graph.folder)


def rounded(values: Array) -> Array:
    """Return values in fp16; those beyond its range become its largest, not infinite."""
    return np.clip(values, -LARGEST, LARGEST).astype(np.float16)
