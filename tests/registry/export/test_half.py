from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from models.artifact import open_artifact
from models.manifest import MODEL
from models.tokens import Tokenizers
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export.export import export
from registry.export.half import LARGEST, rounded
from registry.export.ladder import LADDER, RUNGS
from registry.export.trim import Trim
from registry.gate.reference import Reference
from tests.registry.conftest import Build

TEXTS = ["good", "bad food", "the room was not very good and the food was bad", "1 2 3", "not bad"]
KINDS = ["bert", "xlm-roberta", "deberta-v2", "modernbert"]


def test_fp16_is_asked_for_by_name() -> None:
    """No gate climbs to it: a CPU takes the time of fp32 for it."""
    assert "fp16" in RUNGS
    assert "fp16" not in LADDER


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_as_the_checkpoint_does(kind: str, build: Build, tmp_path: Path) -> None:
    """Scores stay within 0.01 of torch's, as a CPU runs it."""
    checkpoint = inspect(build(kind))
    manifest = export(checkpoint, Card("de"), tmp_path / "out", rung="fp16")

    ours = open_artifact(tmp_path / "out", Tokenizers(), threads=1)(TEXTS)
    theirs = Reference(checkpoint)(TEXTS)

    assert manifest.precision == "fp16"
    assert np.allclose(
        [row["positive"] for row in ours], [row["positive"] for row in theirs], atol=0.01
    )


def test_all_weights_are_halved_and_nothing_else(build: Build, tmp_path: Path) -> None:
    """Word embeddings too; ids come in as integers, logits leave in fp32."""
    export(inspect(build("xlm-roberta")), Card("de"), tmp_path / "out", rung="fp16")
    graph = onnx.load(tmp_path / "out" / MODEL, load_external_data=False).graph

    large = {tensor.data_type for tensor in graph.initializer if tensor.external_data}
    given = {value.type.tensor_type.elem_type for value in graph.input}
    (answer,) = graph.output

    assert large == {TensorProto.FLOAT16}
    assert given == {TensorProto.INT64}
    assert answer.type.tensor_type.elem_type == TensorProto.FLOAT


def test_it_is_the_same_each_time(build: Build, tmp_path: Path) -> None:
    """The manifest's digest stands for the model."""
    made = [
        export(inspect(build("bert")), Card("de"), tmp_path / name, rung="fp16")
        for name in ("one", "two")
    ]

    assert made[0].digest == made[1].digest


def test_it_is_not_trimmed(build: Build, tmp_path: Path) -> None:
    """Trimming is for 8 bits; the precision does not claim it."""
    card = Card("de", trim=Trim(("good",), 4))

    assert export(inspect(build("bert")), card, tmp_path, rung="fp16").precision == "fp16"


def test_what_is_too_large_is_no_infinity() -> None:
    """Masks are the least that fp32 has."""
    assert rounded(np.array([-3.4e38, 1.5, 1e5], np.float32)).tolist() == [-LARGEST, 1.5, LARGEST]
