from pathlib import Path

import numpy as np
import pytest

from models.artifact import open_artifact
from models.engine import prepacked
from models.engine.onnx import OnnxEngine
from models.manifest import MODEL, Manifest
from models.tokens import Tokenizers, pad
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export import rungs
from registry.export.blocks import pack
from registry.export.export import export
from registry.export.files import Graph
from registry.export.ladder import DEFAULT, RUNGS
from registry.export.plain import graph_of
from registry.export.rounding import factor, nearest, safe_scales, steered
from registry.export.rows import loud
from registry.export.tables import WHOLE, quantised
from registry.quiet import quiet
from tests.registry.conftest import Build

TEXTS = ["good", "bad food", "the room was not very good and the food was bad", "1 2 3", "not bad"]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that keeps the fused fp32 graph of the checkpoint for all rungs."""
    return tmp_path_factory.mktemp("plain")


def normal(*shape: int) -> np.ndarray:
    """Return random numbers, the same each time."""
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


def test_every_rung_has_a_recipe() -> None:
    """What may be asked for can be made; fp32 is the graph itself."""
    assert set(RUNGS) == {*rungs.MADE, "fp32"}
    assert DEFAULT in RUNGS


@pytest.mark.parametrize("rung", RUNGS)
def test_a_rung_answers(rung: str, build: Build, kept: Path, tmp_path: Path) -> None:
    """Its precision is its name, and its scores are finite."""
    manifest = export(inspect(build("bert")), Card("de"), tmp_path / "out", rung=rung, plain=kept)

    answers = open_artifact(tmp_path / "out", Tokenizers(), threads=1)(TEXTS)

    assert manifest.precision == rung
    assert all(np.isfinite(list(row.values())).all() for row in answers)


@pytest.mark.parametrize("rung", [rung for rung in RUNGS if "block" not in rung])
def test_a_rung_can_be_prepacked(rung: str, build: Build, kept: Path, tmp_path: Path) -> None:
    """The mapped form gives the same logits; blocks need models wider than this one."""
    export(inspect(build("bert")), Card("de"), tmp_path / "out", rung=rung, plain=kept)

    form = prepacked.make(tmp_path / "out", tmp_path / "home")

    assert prepacked.find(tmp_path / "out", tmp_path / "home") == form


@pytest.mark.parametrize("rung", ["int8-rows", "int8-tokens", "int8-block32-v32"])
def test_an_answer_does_not_depend_on_its_neighbours(
    rung: str, build: Build, kept: Path, tmp_path: Path
) -> None:
    """Rungs whose scales are those of a token or a block answer a text alike in any batch."""
    export(inspect(build("bert")), Card("de"), tmp_path / "out", rung=rung, plain=kept)
    engine = OnnxEngine(tmp_path / "out", threads=1)
    rows = [[1, 4, 5, 2], [1, 6, 7, 2], [1, 15, 14, 2]]

    together = engine.run(pad(rows, 0))
    apart = np.concatenate([engine.run(pad([row], 0)) for row in rows])

    assert np.allclose(together, apart, atol=1e-5)


def test_a_kept_graph_gives_the_same_bytes(build: Build, kept: Path, tmp_path: Path) -> None:
    """Whether the fused graph is made anew or was kept does not show in the artifact."""
    checkpoint = inspect(build("bert"))
    made = [
        export(checkpoint, Card("de"), tmp_path / name, rung="int8-tokens", plain=folder)
        for name, folder in [("one", None), ("two", kept), ("three", kept)]
    ]

    assert len({manifest.digest for manifest in made}) == 1
    assert Manifest.read(tmp_path / "three") == made[0]
    assert {path.name for path in kept.iterdir()} == {MODEL, "model.bin"}


def test_large_tensors_stay_on_disk(build: Build, tmp_path: Path) -> None:
    """A graph is read without its weights, and each is mapped when it is asked for."""
    with quiet():
        graph = graph_of(inspect(build("bert")), tmp_path, lambda _: None)
    tensors = Graph.read(tmp_path).tensors()
    weights = [tensors[node.input[1]] for node in graph.products()]

    assert weights
    assert not any(tensor.raw_data for tensor in weights)
    assert all(isinstance(graph.array(tensor), np.memmap) for tensor in weights)


def test_no_cpu_can_overflow() -> None:
    """Two neighbouring weights of a column never add up to more than 16 bits hold, times 255."""
    weights = normal(65, 40)
    weights[4:6, 3] = 9, 8
    scales = safe_scales(weights)
    together = factor(normal(200, 65), np.array([], int))
    assert together is not None

    for integers in (nearest(weights, scales), steered(weights, scales, together)):
        pairs = integers[:64].astype(int).reshape(32, 2, 40)
        assert np.maximum(pairs, 0).sum(axis=1).max() * 255 <= 2**15 - 1
        assert np.minimum(pairs, 0).sum(axis=1).min() * 255 >= -(2**15)


def test_steered_rounding_comes_nearer() -> None:
    """Where inputs move together, products lose less than with each weight rounded by itself."""
    weights, values = normal(64, 32), normal(500, 8) @ normal(8, 64)
    scales = 4 * safe_scales(weights)
    together = factor(values, np.array([], int))
    assert together is not None

    lost = [
        np.abs(values @ (integers * scales - weights)).mean()
        for integers in (nearest(weights, scales), steered(weights, scales, together))
    ]

    assert lost[1] < 0.6 * lost[0]


def test_loud_channels_are_found() -> None:
    """Those whose values are far above the others of the same token."""
    values = normal(100, 64)
    values[:, [7, 40]] *= 30

    assert loud(values, 2).tolist() == [7, 40]


def test_a_table_in_eight_bits_keeps_each_row() -> None:
    """A row is off by half a step of its own scale at most, and a row of zero stays zero."""
    table = normal(100, 24) * np.arange(100)[:, None]
    rows, scales = quantised(table)

    assert len(rows) == len(scales) == 2 * WHOLE
    assert np.all(np.abs(rows[:100] * scales[:100] - table) <= 0.51 * scales[:100])
    assert not rows[0].any()


def test_blocks_cover_what_does_not_fill_the_last_one() -> None:
    """70 weights in blocks of 32: the third is padded with zeros, which no scale sees."""
    weights = normal(70, 8)
    packed, scales = pack(weights, 32)
    back = (packed.astype(np.float32) - 128) * scales[:, :, None]

    assert packed.shape == (8, 3, 32)
    assert np.abs(back.reshape(8, 96)[:, :70].T - weights).max() <= 1.01 * np.abs(scales).max()
