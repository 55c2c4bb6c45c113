"""A checkpoint turned into an artifact: 8-bit ONNX, tokenizer, manifest, `MLmodel`."""

import os
import shutil
from pathlib import Path

from models.errors import ExportFailed, PolysentError
from models.manifest import MODEL, NAME, TOKENIZER, WEIGHTS, File, Manifest
from registry.card import Card
from registry.checkpoints.checkpoint import UNKNOWN, Checkpoint
from registry.export import ladder, mlmodel, rungs
from registry.export.plain import graph_of
from registry.export.trim import Trim
from registry.progress import Say, silent
from registry.quiet import quiet

FILES = (MODEL, WEIGHTS, TOKENIZER, mlmodel.NAME)


def export(  # noqa: PLR0913  (what is exported, where to, in which form)
    checkpoint: Checkpoint,
    card: Card,
    folder: Path,
    say: Say = silent,
    *,
    rung: str = ladder.DEFAULT,
    plain: Path | None = None,
) -> Manifest:
    """Write the artifact into `folder`, which appears whole or not at all.

    `rung` is one of ladder.RUNGS; `card.trim` changes those in 8 bits. `plain` is a folder that
    keeps the fused fp32 graph of this checkpoint for the next call, with another rung; without it,
    each call makes its own.
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
        _write_model(checkpoint, card.trim, staging, rung, plain=plain, say=say)
        shutil.copyfile(checkpoint.path / TOKENIZER, staging / TOKENIZER)
        mlmodel.write(staging)
        manifest = _manifest(checkpoint, card, staging, rung)
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


def _write_model(  # noqa: PLR0913  (as export)
    checkpoint: Checkpoint,
    trim: Trim | None,
    staging: Path,
    rung: str,
    *,
    plain: Path | None,
    say: Say,
) -> None:
    kept = staging / "fp32" if plain is None else plain
    with quiet():
        graph = graph_of(checkpoint, kept, say)
        say(f"make {rung}")
        rungs.make(rung, graph, checkpoint, trim).save(staging)
    if plain is None:
        shutil.rmtree(kept)


def _manifest(checkpoint: Checkpoint, card: Card, folder: Path, rung: str) -> Manifest:
    return Manifest(
        language=card.language,
        covers=card.covers,
        labels=checkpoint.labels,
        unified=checkpoint.unified,
        max_tokens=card.tokens(checkpoint),
        pad_token_id=checkpoint.pad_token_id,
        base_model=card.base_model or checkpoint.base_model,
        precision=rungs.precision(rung, card.trim),
        training_data_digest=card.training_data_digest or UNKNOWN,
        licence=card.licence or checkpoint.licence,
        files={name: File.of(folder / name) for name in FILES},
    )
