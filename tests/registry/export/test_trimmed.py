from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.artifact import open_artifact
from models.engine import prepacked
from models.engine.onnx import OnnxEngine
from models.errors import ExportFailed
from models.manifest import TOKENIZER, Manifest
from models.tokens import Tokenizers, pad
from registry.candidate import Candidate
from registry.card import Card
from registry.checkpoints.checkpoint import Checkpoint, inspect
from registry.export.coarse import EIGHTS, FOURS, Coarse
from registry.export.export import export
from registry.export.files import Graph
from registry.export.plain import graph_of
from registry.export.tables import WHOLE
from registry.export.trim import Trim, pieces
from registry.export.trimmed import words
from registry.gate.evidence import Evidence
from registry.gate.reference import Reference
from registry.progress import silent
from registry.quiet import quiet
from registry.register import export_key, prepare
from tests.registry import conftest
from tests.registry.conftest import SPECIAL, VOCABULARY, write_checkpoint

ROWS = 9000
"""So many that the table is large enough for 8 bits."""
RUNG = "int8-rows"
KEPT = ("good food", "the room was not bad", "good")
COVERED = [[1, 4, 7, 2], [1, 6, 9, 8, 14, 5, 2]]
MIXED = [[1, 4, 10, 2], [1, 15, 12, 11, 2], [1, 3, 13, 2]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Return a tiny checkpoint with far more word embeddings than words."""
    folder = tmp_path_factory.mktemp("checkpoint")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(conftest.SIZES, "vocab_size", ROWS)
        write_checkpoint("bert", folder)
    return inspect(folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that keeps the fused fp32 graph."""
    return tmp_path_factory.mktemp("plain")


@pytest.fixture(scope="module")
def whole(checkpoint: Checkpoint, plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the untrimmed artifact."""
    folder = tmp_path_factory.mktemp("whole")
    export(checkpoint, Card("de"), folder, rung=RUNG, plain=plain)
    return folder


@pytest.fixture(scope="module")
def trimmed(checkpoint: Checkpoint, plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the artifact that keeps the pieces of KEPT."""
    folder = tmp_path_factory.mktemp("trimmed")
    export(checkpoint, Card("de", trim=Trim(KEPT)), folder, rung=RUNG, plain=plain)
    return folder


def logits(folder: Path, rows: Sequence[list[int]], *, prepacked: bool = False) -> np.ndarray:
    """Return the logits of one batch."""
    return OnnxEngine(folder, threads=1, prepacked=prepacked).run(pad(list(rows), 0))


def test_a_covered_text_has_the_same_logits(whole: Path, trimmed: Path) -> None:
    """Bit for bit, padded or not."""
    assert np.array_equal(logits(trimmed, COVERED), logits(whole, COVERED))


def test_other_pieces_are_answered_from_three_bits(
    checkpoint: Checkpoint, whole: Path, trimmed: Path
) -> None:
    """Their scores move a little, and are nowhere near those of a text without them."""
    texts = ["good 1", "very and 3", "was 2 food", "not very good and 1"]
    theirs = Reference(checkpoint)(texts)
    ours = open_artifact(trimmed, Tokenizers(), threads=1)(texts)
    changes = [abs(a["positive"] - b["positive"]) for a, b in zip(ours, theirs, strict=True)]

    assert not np.array_equal(logits(trimmed, MIXED), logits(whole, MIXED))
    assert max(changes) < 0.15
    assert np.mean(changes) < 0.25 * np.ptp([row["positive"] for row in theirs])


def test_a_covered_text_does_not_see_its_neighbours(whole: Path, trimmed: Path) -> None:
    """The check is made token by token: beside a text of other pieces, it stays exact."""
    together = logits(trimmed, [COVERED[0], MIXED[0]])

    assert np.array_equal(together[:1], logits(whole, [COVERED[0], MIXED[0]])[:1])


def test_a_trimmed_model_can_be_prepacked(trimmed: Path, tmp_path: Path) -> None:
    """Its mapped form has the same logits."""
    form = prepacked.make(trimmed, tmp_path)

    every = COVERED + MIXED
    assert np.array_equal(logits(form, every, prepacked=True), logits(trimmed, every))


def test_a_trimmed_model_is_smaller_and_says_so(whole: Path, trimmed: Path) -> None:
    """The manifest names it; its schema is that of any other."""
    small, large = Manifest.read(trimmed), Manifest.read(whole)

    assert small.precision == "int8-rows-trimmed"
    assert small.files["model.bin"].size < large.files["model.bin"].size - ROWS * 32 * 0.4


def test_trimming_is_deterministic(checkpoint: Checkpoint, plain: Path, tmp_path: Path) -> None:
    """The same texts give the same bytes; other ones another work folder."""
    made = [
        export(checkpoint, Card("de", trim=Trim(KEPT)), tmp_path / name, rung=RUNG, plain=plain)
        for name in ("one", "two")
    ]
    keys = [
        export_key(checkpoint, Card("de", trim=trim))
        for trim in (None, Trim(KEPT), Trim(KEPT, 1), Trim(KEPT[:1]))
    ]

    assert made[0].digest == made[1].digest
    assert len(set(keys)) == len(keys)


def test_the_gate_judges_what_will_be_served(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """The trimmed form, whose other pieces show in the scores."""
    evidence = Evidence(("very 1 and 2", "good food", "the room was 3"), "words")
    card = Card("de", trim=Trim(KEPT, 0))
    candidate = Candidate(str(checkpoint.path), card, evidence, rungs=(RUNG,))

    _, manifest = prepare(candidate, tmp_path)

    assert manifest.precision == "int8-rows-trimmed"
    assert manifest.gate is not None
    assert 0.001 < manifest.gate.mean_score_change < 0.2


def test_fp32_is_never_trimmed(checkpoint: Checkpoint, plain: Path, tmp_path: Path) -> None:
    """It is what the others are measured against."""
    card = Card("de", trim=Trim(KEPT))

    manifest = export(checkpoint, card, tmp_path / "out", rung="fp32", plain=plain)

    assert manifest.precision == "fp32"


@pytest.mark.parametrize(("most", "found"), [(9, "good food the room was not bad"), (1, "good")])
def test_the_most_frequent_pieces_are_kept(most: int, found: str, checkpoint: Checkpoint) -> None:
    """Up to a limit, which special tokens do not count in."""
    expected = {*SPECIAL, *found.split()}

    kept = pieces(checkpoint.path / TOKENIZER, Trim(KEPT, most))

    assert {VOCABULARY[piece] for piece in kept} == expected
    assert kept == sorted(kept)


def test_what_can_not_be_trimmed_is_not_called_so(checkpoint: Checkpoint, plain: Path) -> None:
    """A graph that looks no ids of texts up in a table."""
    with quiet():
        graph = graph_of(checkpoint, plain, silent)
    del graph.model.graph.node[:]

    with pytest.raises(ValueError, match="no table of word embeddings"):
        words(graph)


@pytest.mark.parametrize("kind", ["deberta-v2", "modernbert", "roberta"])
def test_the_word_table_is_found(kind: str, build: conftest.Build, tmp_path: Path) -> None:
    """Whatever the architecture, it is the table that the texts' own ids are looked up in."""
    export(inspect(build(kind)), Card("de"), tmp_path / "out", rung="fp32")
    graph = Graph.read(tmp_path / "out")

    assert graph.tensors()[words(graph).input[0]].dims[0] == len(VOCABULARY)


def test_three_bits_lose_as_little_as_eight_levels_can() -> None:
    """Normally distributed values are off by 19 % of their size, whatever column or row."""
    chance = np.random.default_rng(5)
    table = chance.standard_normal((500, 256)).astype(np.float32)
    table = table * np.geomspace(0.1, 30, 256, dtype=np.float32) + 2
    table *= np.geomspace(0.5, 2, 500, dtype=np.float32)[:, None]
    rows = np.arange(3, 500, 2)

    coarse = Coarse.of(table, rows)
    level = FOURS[coarse.fours].reshape(len(coarse.steps), -1)
    level += EIGHTS[coarse.eights].reshape(level.shape)
    back = level * coarse.steps * coarse.spread + coarse.mean
    lost = np.square((back[: len(rows)] - table[rows]) / coarse.spread).mean()
    size = np.square((table[rows] - coarse.mean) / coarse.spread).mean()

    assert len(coarse.steps) == 4 * WHOLE
    assert np.sqrt(lost / size) == pytest.approx(0.1935, abs=0.01)


def test_rows_of_an_odd_width_are_refused(tmp_path: Path) -> None:
    """Eight values share a byte of the lowest bits; no model that people use is so narrow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(conftest.BODY, "hidden_size", 4)
        write_checkpoint("bert", tmp_path / "narrow")

    with pytest.raises(ExportFailed, match="4 values are no multiple of 8"):
        export(inspect(tmp_path / "narrow"), Card("de", trim=Trim(KEPT)), tmp_path / "out")
