from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from models.manifest import MODEL
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export.export import export
from registry.export.files import CONTRIB
from registry.export.gelu import EXACT, FAST
from tests.registry.conftest import Build


@pytest.mark.parametrize(("rung", "kind"), [("int8-rows", FAST), ("fp32", EXACT)])
def test_8_bits_take_the_fast_one(build: Build, tmp_path: Path, rung: str, kind: str) -> None:
    """Only fp32 is what the others are compared with."""
    export(inspect(build("xlm-roberta")), Card("de"), tmp_path / "out", rung=rung)

    graph = onnx.load(tmp_path / "out" / MODEL, load_external_data=False).graph

    assert {node.op_type for node in graph.node} & {EXACT, FAST} == {kind}


def test_both_are_near_each_other() -> None:
    """Nowhere are they 0.0005 apart."""
    values = np.linspace(-8, 8, 10_001, dtype=np.float32)[:, None]

    exact, fast = (_answer(kind, values) for kind in (EXACT, FAST))

    assert np.abs(exact - fast).max() < 0.0005


def _answer(kind: str, values: np.ndarray) -> np.ndarray:
    float_, names = onnx.TensorProto.FLOAT, ("x", "bias")
    graph = helper.make_graph(
        [helper.make_node(kind, names, ["y"], domain=CONTRIB)],
        "gelu",
        [helper.make_tensor_value_info(name, float_, None) for name in names],
        [helper.make_tensor_value_info("y", float_, None)],
    )
    versions = [helper.make_opsetid("", 18), helper.make_opsetid(CONTRIB, 1)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=9)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {"x": values, "bias": np.zeros(1, np.float32)})
    return np.asarray(found)
