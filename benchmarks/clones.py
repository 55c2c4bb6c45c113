"""Artifacts with the shape of a real model and random weights: fast and big like it, and useless.

`python -m benchmarks.clones FOLDER TOKENIZER [PRECISION]` writes one of XLM-R-base's shape.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import graph
from models.labels import unify
from models.manifest import MODEL, TOKENIZER, File, Gate, Manifest
from registry.export import mlmodel
from registry.export.export import FILES, write_plain
from registry.quiet import quiet

LABELS = ("negative", "neutral", "positive")
MODEL_TYPE = "xlm-roberta"
POSITIONS = 514
CONTRIB = "com.microsoft"
ROWS = 2048
"""Embedding rows while the graph is made; the real number is put in at the end."""
PASSED = Gate(
    texts=200, texts_source="none", agreement=1.0, mean_score_change=0.0, data_digest="0" * 64
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What an XLM-R encoder's cost depends on."""

    layers: int = 12
    width: int = 768
    heads: int = 12
    ffn: int = 3072
    vocabulary: int = 40_000


BASE = Shape()
LARGE = Shape(layers=24, width=1024, heads=16, ffn=4096)
TINY = Shape(layers=2, width=64, heads=4, ffn=128, vocabulary=4_000)

PRECISIONS: dict[str, Callable[[Any], Any]] = {
    "fp32": lambda model: model,
    graph.PRECISION: graph.quantise,
    "int8-block32": lambda model: blocks(model, 32),
    "int8-block128": lambda model: blocks(model, 128),
    "int8-block128-v32": lambda model: blocks(model, 128, graph.value_projections(model)),
    "int8-dynamic": lambda model: dynamic(model, signed=True),
    "uint8-dynamic": lambda model: dynamic(model, signed=False),
}


def clone(
    folder: Path, shape: Shape, tokenizer: Path, precision: str = graph.PRECISION, seed: int = 0
) -> Manifest:
    """Write a whole artifact; `tokenizer` is copied, and ids beyond `vocabulary` have no row.

    It goes the way of registry/export: transformers, optimum, fused attention. The same arguments
    give the same logits. XLM-R-base takes some 20 s and 2 GB, -large twice that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, quiet():
        model = PRECISIONS[precision](fused(shape, seed, Path(scratch) / MODEL))
        grow(model, shape, seed)
        for stale in FILES:
            (folder / stale).unlink(missing_ok=True)
        graph.save(model, folder)
    shutil.copyfile(tokenizer, folder / TOKENIZER)
    mlmodel.write(folder)
    manifest = described(folder, precision)
    manifest.write(folder)
    return manifest


def fused(shape: Shape, seed: int, path: Path) -> Any:  # noqa: ANN401
    """Return the fused graph, in fp32, by way of a file at `path`."""
    import onnx  # noqa: PLC0415  (heavy)

    heads, hidden = write_plain(random_model(shape, seed), path)
    return graph.fuse(onnx.load(path), MODEL_TYPE, heads, hidden)


def random_model(shape: Shape, seed: int) -> Any:  # noqa: ANN401
    """Return the model in torch, with ROWS embeddings."""
    import torch  # noqa: PLC0415  (heavy)
    from transformers import AutoConfig, AutoModelForSequenceClassification  # noqa: PLC0415

    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        MODEL_TYPE,
        vocab_size=ROWS,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.ffn,
        max_position_embeddings=POSITIONS,
        type_vocab_size=1,
        num_labels=len(LABELS),
        attn_implementation="eager",
    )
    models: Any = AutoModelForSequenceClassification
    return models.from_config(config).eval()


def grow(model: Any, shape: Shape, seed: int) -> None:  # noqa: ANN401
    """Give the word embeddings their number of rows."""
    (table,) = [tensor for tensor in model.graph.initializer if tensor.dims[:1] == [ROWS]]
    chance = np.random.default_rng(seed)
    rows = chance.standard_normal((shape.vocabulary, shape.width), dtype=np.float32)
    rows *= np.float32(0.02)
    table.dims[0], table.raw_data = shape.vocabulary, rows.tobytes()


def blocks(model: Any, size: int, exceptions: list[str] | None = None) -> Any:  # noqa: ANN401
    """Return the graph with 8-bit blocks of another size."""
    return graph.in_blocks(model, size, exceptions or [])


def dynamic(model: Any, *, signed: bool) -> Any:  # noqa: ANN401
    """Return the graph in plain dynamic int8, one scale a channel."""
    import onnx  # noqa: PLC0415  (heavy)
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    if all(opset.domain != CONTRIB for opset in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid(CONTRIB, 1))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / MODEL
        quantize_dynamic(
            model,
            path,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8 if signed else QuantType.QUInt8,
            extra_options={"DefaultTensorType": 1},
        )
        return onnx.load(path)


def described(folder: Path, precision: str) -> Manifest:
    """Return the manifest of what lies in the folder."""
    return Manifest(
        language="en",
        labels=LABELS,
        unified=unify(LABELS),
        max_tokens=POSITIONS - 2,
        pad_token_id=1,
        base_model="random",
        precision=precision,
        training_data_digest="0" * 64,
        licence="Apache-2.0",
        files={name: File.of(folder / name) for name in FILES},
        gate=PASSED,
    )


if __name__ == "__main__":
    _, target, vocabulary, *asked = sys.argv
    clone(Path(target), BASE, Path(vocabulary), asked[0] if asked else graph.PRECISION)
