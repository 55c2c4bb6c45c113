import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.registering import _lines
from tests.registry.conftest import write_checkpoint

RUN = CliRunner()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint("bert", folder)
    return folder


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep work folders out of the repository."""
    monkeypatch.setenv("POLYSENT_HOME", str(tmp_path / "home"))


def gate(checkpoint: Path, texts: Path, *options: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of `polysent registry gate`."""
    command = ["registry", "gate", str(checkpoint), "-l", "de", "--texts", str(texts), *options]
    answer = RUN.invoke(app, command)
    return answer.exit_code, answer.stdout, answer.stderr


def test_a_refused_gate_shows_its_figures(checkpoint: Path, tmp_path: Path) -> None:
    """Whoever mends a model needs them more than whoever passed; the exit code is 1."""
    texts = tmp_path / "texts"
    texts.write_text("good food\nbad food\n\n good food \n")

    code, out, err = gate(checkpoint, texts, "--json")

    assert code == 1
    assert json.loads(out)["texts"] == 2
    assert "compared on 2 texts" in err


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_texts_that_can_not_be_read_are_said(
    content: bytes | None, checkpoint: Path, tmp_path: Path
) -> None:
    """A missing file, or one that is not UTF-8, is a wrong command: exit code 2."""
    texts = tmp_path / "texts"
    if content is not None:
        texts.write_bytes(content)

    code, _, err = gate(checkpoint, texts)

    assert code == 2
    assert "texts" in err


def test_a_text_counts_once(tmp_path: Path) -> None:
    """Two hundred times the same line is no evidence."""
    (tmp_path / "texts").write_text("good\nbad\n\ngood \n")

    assert _lines(tmp_path / "texts") == ("good", "bad")


def test_an_export_that_would_remove_files_is_refused(checkpoint: Path) -> None:
    """`polysent registry export PATH .` in a folder of one's own costs nothing."""
    answer = RUN.invoke(app, ["registry", "export", str(checkpoint), str(checkpoint), "-l", "de"])

    assert answer.exit_code == 1
    assert "holds the checkpoint" in " ".join(answer.stderr.split())
    assert (checkpoint / "model.safetensors").is_file()
