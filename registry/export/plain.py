"""The fused fp32 graph of a checkpoint: what every rung is made of."""

import gc
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from models import memory
from models.manifest import MODEL
from registry.checkpoints.checkpoint import Checkpoint
from registry.export import fuse
from registry.export.files import Graph
from registry.export.torch_model import load
from registry.progress import Say

TASK = "text-classification"
TABLE = "table.npy"
ROWS = 8
"""Embeddings that are left while the graph is made: each step copies all that it is given."""


def graph_of(checkpoint: Checkpoint, folder: Path, say: Say) -> Graph:
    """Return the fused fp32 graph in `folder`, made unless it is there.

    CheckpointRefused where weights are missing.
    """
    if not (folder / MODEL).is_file():
        raw = folder / "raw" / MODEL
        raw.parent.mkdir(parents=True, exist_ok=True)
        say(f"load {checkpoint.architecture}")
        name, heads, hidden = _export(checkpoint, raw)
        _release()
        say("fuse")
        graph = _fused(raw, checkpoint.model_type, heads, hidden)
        table = np.load(raw.parent / TABLE, mmap_mode="r")
        _grow(graph, name, len(table))
        graph.save(folder, {name: table})
        shutil.rmtree(raw.parent)
        del graph, table
        _release()
    return Graph.read(folder)


def _release() -> None:
    """Give back what torch and protobuf have freed: the next step needs as much again."""
    gc.collect()
    memory.trim()


def _export(checkpoint: Checkpoint, raw: Path) -> tuple[str, int, int]:
    """Write the graph with few embeddings, and their table beside it; return the table's name."""
    model = load(checkpoint)
    name = cut(model, raw.parent / TABLE)
    return name, *write_graph(model, raw)


def cut(model: Any, file: Path) -> str:  # noqa: ANN401  (a PreTrainedModel, which has no types)
    """Leave a model its first word embeddings, write all of them; return their tensor's name."""
    import torch  # noqa: PLC0415  (heavy)

    embeddings = model.get_input_embeddings()
    whole = embeddings.weight
    name: str = next(name for name, part in model.named_parameters() if part is whole)
    rows = min(ROWS, len(whole))
    embeddings.weight = torch.nn.Parameter(whole[:rows].detach().clone(), requires_grad=False)
    embeddings.num_embeddings, embeddings.padding_idx = rows, None
    model.config.vocab_size = rows
    np.save(file, whole.detach().numpy())
    return name


def write_graph(model: Any, path: Path) -> tuple[int, int]:  # noqa: ANN401
    """Write the graph of a transformers model as it comes; return heads and hidden size.

    Weights of more than 2 GB, which no protobuf holds, go into files of their own.
    """
    from optimum.exporters.onnx.convert import export_pytorch  # noqa: PLC0415  (heavy)
    from optimum.exporters.tasks import TasksManager  # noqa: PLC0415

    settings = model.config
    describe = TasksManager.get_exporter_config_constructor(
        "onnx", model, task=TASK, library_name="transformers"
    )
    exporter = describe(settings)
    export_pytorch(model, exporter, exporter.DEFAULT_ONNX_OPSET, path)
    return int(settings.num_attention_heads), int(settings.hidden_size)


def _fused(raw: Path, model_type: str, heads: int, hidden: int) -> Graph:
    import onnx  # noqa: PLC0415  (heavy)

    return Graph(fuse.fuse(onnx.load(raw), model_type, heads, hidden), raw.parent)


def _grow(graph: Graph, name: str, rows: int) -> None:
    """Say how many rows the table has; ValueError where the graph has lost it."""
    tensor = graph.tensors().get(name)
    if tensor is None:
        message = f"the fused graph lost {name}"
        raise ValueError(message)
    tensor.dims[0] = rows
