"""A checkpoint turned into an artifact: 8-bit ONNX, tokenizer, manifest, `MLmodel`."""

import os
import shutil
from pathlib import Path
from typing import Any

from models.errors import ExportFailed, PolysentError
from models.manifest import MODEL, NAME, TOKENIZER, WEIGHTS, File, Manifest
from registry import graph, mlmodel
from registry.card import Card
from registry.checkpoint import UNKNOWN, Checkpoint
from registry.progress import Say, silent
from registry.quiet import quiet
from registry.torch_model import load

TASK = "text-classification"
FILES = (MODEL, WEIGHTS, TOKENIZER, mlmodel.NAME)


def export(checkpoint: Checkpoint, card: Card, folder: Path, say: Say = silent) -> Manifest:
    """Write the artifact into `folder`, which appears whole or not at all.

    The same checkpoint and card give the same bytes under the same versions of torch,
    transformers, optimum and onnxruntime. CheckpointRefused where weights are missing,
    ExportFailed where a tool gives up, or where `folder` holds anything but an artifact.
    """
    folder = folder.resolve()
    _refuse_to_lose(folder, checkpoint.path.resolve())
    staging = folder.with_name(f".polysent-{folder.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        _write_model(checkpoint, staging, say)
        shutil.copyfile(checkpoint.path / TOKENIZER, staging / TOKENIZER)
        mlmodel.write(staging)
        manifest = _manifest(checkpoint, card, staging)
        manifest.write(staging)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(staging, folder)  # noqa: PTH104  (the one that promises to be atomic)
    except PolysentError:
        raise
    except Exception as error:
        message = f"{checkpoint.path} could not be exported: {type(error).__name__}: {error}"
        raise ExportFailed(message) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def _refuse_to_lose(folder: Path, source: Path) -> None:
    """ExportFailed where replacing `folder` would remove what no export wrote."""
    if folder == source or folder in source.parents:
        message = f"{folder} holds the checkpoint itself; name another folder"
        raise ExportFailed(message)
    if not folder.exists():
        return
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    if found and (NAME not in found or found - {NAME, *FILES}):
        message = f"{folder} is there and is no artifact; name an empty folder or a new one"
        raise ExportFailed(message)


def _write_model(checkpoint: Checkpoint, staging: Path, say: Say) -> None:
    plain = staging / "fp32" / MODEL
    plain.parent.mkdir()
    with quiet():
        say(f"load {checkpoint.architecture}")
        heads, hidden = write_plain(load(checkpoint), plain)
        say("fuse and quantise")
        model = graph.small(plain, checkpoint.model_type, heads, hidden)
        graph.save(model, staging)
    shutil.rmtree(plain.parent)


def write_plain(model: Any, path: Path) -> tuple[int, int]:  # noqa: ANN401
    """Write the graph of a transformers model as it comes; return heads and hidden size."""
    from optimum.exporters.onnx.convert import export_pytorch  # noqa: PLC0415  (heavy)
    from optimum.exporters.tasks import TasksManager  # noqa: PLC0415

    settings = model.config
    describe = TasksManager.get_exporter_config_constructor(
        "onnx", model, task=TASK, library_name="transformers"
    )
    exporter = describe(settings)
    export_pytorch(model, exporter, exporter.DEFAULT_ONNX_OPSET, path)
    return int(settings.num_attention_heads), int(settings.hidden_size)


def _manifest(checkpoint: Checkpoint, card: Card, folder: Path) -> Manifest:
    return Manifest(
        language=card.language,
        covers=card.covers,
        labels=checkpoint.labels,
        unified=checkpoint.unified,
        max_tokens=card.tokens(checkpoint),
        pad_token_id=checkpoint.pad_token_id,
        base_model=card.base_model or checkpoint.base_model,
        precision=graph.PRECISION,
        training_data_digest=card.training_data_digest or UNKNOWN,
        licence=card.licence or checkpoint.licence,
        files={name: File.of(folder / name) for name in FILES},
    )
