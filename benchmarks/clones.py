"""Structural clones: artifacts of real shapes with random weights, made the way real ones are."""

import tempfile
from pathlib import Path

from benchmarks import checkpoints
from benchmarks.shapes import Shape
from cli.console import err
from models.manifest import Gate, Manifest
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export.export import export

PASSED = Gate(
    texts=200,
    texts_source="none: random weights",
    agreement=1.0,
    mean_score_change=0.0,
    data_digest="0" * 64,
)
"""Made up: random weights classify nothing."""


def clone(folder: Path, shape: Shape, tokenizer: Path, rung: str) -> Manifest:
    """Write a whole artifact on a rung of the ladder; the same arguments give the same bytes.

    XLM-R-base takes a minute and 4 GB of disk meanwhile, -large three and 12 GB.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        checkpoint = Path(scratch) / "checkpoint"
        checkpoints.write(checkpoint, shape, tokenizer)
        card = Card("en", licence="Apache-2.0", base_model="random")
        manifest = export(inspect(checkpoint), card, folder, err.print, rung=rung)
    passed = manifest.model_copy(update={"gate": PASSED})
    passed.write(folder)
    return passed
