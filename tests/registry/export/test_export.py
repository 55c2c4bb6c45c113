from pathlib import Path

import numpy as np
import pytest

from models.artifact import open_artifact
from models.errors import CheckpointRefused, ExportFailed
from models.labels import Scores
from models.manifest import MODEL, TOKENIZER, WEIGHTS, Manifest
from models.tokens import Tokenizers
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export import rungs
from registry.export.export import export
from registry.gate.reference import Reference
from tests.registry.conftest import Build, write_checkpoint

TEXTS = ["good", "bad food", "the room was not very good and the food was bad", "1 2 3", "not bad"]
KINDS = ["bert", "distilbert", "xlm-roberta"]


def positive(rows: list[Scores]) -> list[float]:
    """Return the score of each row's positive label."""
    return [row["positive"] for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_export_answers_as_the_checkpoint_does(kind: str, build: Build, tmp_path: Path) -> None:
    """8-bit scores stay within 0.05 of torch's, whatever the architecture and the padding."""
    checkpoint = inspect(build(kind))
    export(checkpoint, Card("de"), tmp_path / "out")

    ours = open_artifact(tmp_path / "out", Tokenizers(), threads=1)(TEXTS)
    theirs = Reference(checkpoint)(TEXTS)

    assert np.allclose(positive(ours), positive(theirs), atol=0.05)
    assert np.ptp(positive(theirs)) > 0.05


def test_the_same_checkpoint_gives_the_same_bytes(build: Build, tmp_path: Path) -> None:
    """From another place, in another process or not: the manifest's digest stands for the model."""
    moved = tmp_path / "moved"
    write_checkpoint("bert", moved)

    first = export(inspect(build("bert")), Card("de"), tmp_path / "first")
    second = export(inspect(moved), Card("de"), tmp_path / "elsewhere" / "second")

    assert first.digest == second.digest


def test_an_artifact_holds_what_its_manifest_names(build: Build, tmp_path: Path) -> None:
    """Graph, one weights file, tokenizer and MLmodel; nothing of the fp32 graph is left."""
    said: list[str] = []
    card = Card("PT-br", covers=("iw",), licence="MIT", base_model="owner/base", max_tokens=16)

    manifest = export(inspect(build("bert")), card, tmp_path / "out", said.append)

    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"manifest.json", "MLmodel", MODEL, WEIGHTS, TOKENIZER}
    assert set(manifest.files) == names - {"manifest.json"}
    assert Manifest.read(tmp_path / "out") == manifest
    manifest.verify(tmp_path / "out")
    assert (manifest.language, manifest.covers) == ("pt-BR", ("he",))
    assert (manifest.max_tokens, manifest.licence) == (16, "MIT")
    assert said


def test_exporting_is_quiet(
    build: Build, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Progress is said through `say`; what the libraries print would break `--json`."""
    export(inspect(build("bert")), Card("de"), tmp_path / "out")

    assert capfd.readouterr() == ("", "")


def test_a_failed_export_leaves_nothing(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder appears whole or not at all, and the error names the checkpoint."""

    def fail(*_: object) -> None:
        message = "broken graph"
        raise RuntimeError(message)

    monkeypatch.setattr(rungs, "make", fail)

    with pytest.raises(ExportFailed, match="broken graph"):
        export(inspect(build("bert")), Card("de"), tmp_path / "out")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", [".", "..", "notes", "notes/todo.txt"])
def test_an_export_replaces_nothing_but_an_export(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint, a folder around it, anyone's files: nothing of them is removed."""
    source = tmp_path / "checkpoint"
    write_checkpoint("bert", source)
    (source / "notes").mkdir()
    (source / "notes" / "todo.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(source)

    with pytest.raises(ExportFailed, match="folder"):
        export(inspect(source), Card("de"), Path(where))

    assert sorted(tmp_path.rglob("*")) == before


def test_an_export_may_be_made_again_in_its_place(build: Build, tmp_path: Path) -> None:
    """An empty folder and an artifact are replaced; what is called FOLDER.partial is not ours."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out.partial").mkdir()

    first = export(inspect(build("bert")), Card("de"), tmp_path / "out")
    second = export(inspect(build("bert")), Card("nl"), tmp_path / "out")

    assert (first.language, second.language) == ("de", "nl")
    assert Manifest.read(tmp_path / "out") == second
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.partial"]


def test_a_checkpoint_without_its_classifier_is_refused(tmp_path: Path) -> None:
    """Transformers would fill it with random numbers and only log a line."""
    from safetensors.numpy import load_file, save_file  # noqa: PLC0415

    folder = tmp_path / "headless"
    write_checkpoint("bert", folder)
    weights = load_file(folder / "model.safetensors")
    body = {name: array for name, array in weights.items() if "classifier" not in name}
    save_file(body, folder / "model.safetensors", {"format": "pt"})

    with pytest.raises(CheckpointRefused, match="missing: classifier"):
        export(inspect(folder), Card("de"), tmp_path / "out")


def test_mlflow_loads_the_folder(build: Build, tmp_path: Path) -> None:
    """The hand-written MLmodel names our loader; a DataFrame or a list of texts is answered."""
    import pandas as pd  # noqa: PLC0415

    from registry.quiet import quiet  # noqa: PLC0415

    export(inspect(build("bert")), Card("de"), tmp_path / "out")
    with quiet():
        import mlflow.pyfunc  # noqa: PLC0415

        model = mlflow.pyfunc.load_model(str(tmp_path / "out"))
        answers = model.predict(pd.DataFrame({"text": TEXTS}))

    direct = open_artifact(tmp_path / "out", Tokenizers(), threads=1)(TEXTS)
    assert [answer["score"] for answer in answers] == [max(row.values()) for row in direct]
    assert {answer["label"] for answer in answers} <= {"negative", "positive"}
