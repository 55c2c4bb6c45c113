"""Each common architecture, from a tiny random checkpoint."""

from pathlib import Path

import numpy as np
import pytest

from models.artifact import open_artifact
from models.labels import Scores
from models.tokens import Tokenizers
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export.export import export
from registry.gate.reference import Reference
from tests.registry.conftest import Build, write_checkpoint

TEXTS = ["good", "bad food", "the room was not very good and the food was bad", "1 2 3", "not bad"]
KINDS = [
    "bert",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "modernbert",
    "roberta",
    "xlm-roberta",
]
FIVE = {0: "1 star", 1: "2 stars", 2: "3 stars", 3: "4 stars", 4: "5 stars"}
THREE = {0: "negative", 1: "neutral", 2: "positive"}


def table(rows: list[Scores]) -> np.ndarray:
    """Return the scores of each row, by label in the order of the alphabet."""
    return np.array([[row[label] for label in sorted(row)] for row in rows])


@pytest.mark.parametrize("kind", KINDS)
def test_export_in_fp32_answers_as_torch_does(kind: str, build: Build, tmp_path: Path) -> None:
    """Texts of several lengths in one batch, so that some are padded: within 0.001."""
    checkpoint = inspect(build(kind))
    export(checkpoint, Card("de"), tmp_path / "out", rung="fp32")

    ours = open_artifact(tmp_path / "out", Tokenizers(), threads=1)(TEXTS)
    theirs = Reference(checkpoint)(TEXTS)

    assert np.abs(table(ours) - table(theirs)).max() <= 1e-3
    assert np.ptp(table(theirs)[:, 0]) > 0.01


@pytest.mark.parametrize("rung", ["int8-block32-v32", "int8-tokens"])
@pytest.mark.parametrize("kind", KINDS)
def test_eight_bits_answer_nearly_as_torch_does(
    kind: str, rung: str, build: Build, tmp_path: Path
) -> None:
    """Scores of every architecture are finite, and within 0.15 of those of torch."""
    checkpoint = inspect(build(kind))
    export(checkpoint, Card("de"), tmp_path / "out", rung=rung)

    ours = table(open_artifact(tmp_path / "out", Tokenizers(), threads=1)(TEXTS))

    assert np.isfinite(ours).all()
    assert np.abs(ours - table(Reference(checkpoint)(TEXTS))).max() <= 0.15


@pytest.mark.parametrize("labels", [THREE, FIVE], ids=["three", "five"])
def test_classes_become_unified_labels(labels: dict[int, str], tmp_path: Path) -> None:
    """Three classes stay three; of five stars, one and two are negative, four and five positive."""
    write_checkpoint("bert", tmp_path / "checkpoint", labels)
    checkpoint = inspect(tmp_path / "checkpoint")
    manifest = export(checkpoint, Card("de"), tmp_path / "out", rung="fp32")

    ours = open_artifact(tmp_path / "out", Tokenizers(), threads=1)(TEXTS)

    assert len(manifest.labels) == len(labels)
    assert set(ours[0]) == {"negative", "neutral", "positive"}
    assert np.abs(table(ours) - table(Reference(checkpoint)(TEXTS))).max() <= 1e-3
