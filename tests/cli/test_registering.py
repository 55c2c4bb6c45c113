import io
import json
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli import console, mlflow
from cli.fleet_csv import Outcome, registered
from cli.main import app
from cli.progress import bar
from models.errors import RegistryUnavailable
from models.identity import ModelId
from models.manifest import Manifest
from models.settings import Settings
from registry.entry import Entry
from registry.gate.evidence_file import read
from registry.progress import Say
from registry.source import Registered, Registry
from tests.fakes_registry import FakeRegistry
from tests.registry.conftest import WORDS, write_checkpoint

RUN = CliRunner(env={"COLUMNS": "200"})
TEXTS = [f"{one} {two} {three}" for one in WORDS for two in WORDS for three in ("good", "bad")]
RUNG = ("--rung", "fp32")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint("bert", folder)
    return folder


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of enough texts."""
    file = tmp_path_factory.mktemp("texts") / "texts.txt"
    file.write_text("\n".join(TEXTS))
    return file


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """Return the registry that the commands use; work folders stay out of the repository."""
    registry = FakeRegistry()

    def ours(_: Settings) -> Registry:
        return registry

    monkeypatch.setattr(mlflow, "registry", ours)
    monkeypatch.setenv("POLYSENT_HOME", str(tmp_path / "home"))
    return registry


def asked(command: str, *words: str | Path) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr (on one line) of `polysent registry`."""
    answer = RUN.invoke(app, ["registry", command, *map(str, words)])
    return answer.exit_code, answer.stdout, " ".join(answer.stderr.split())


def test_a_refused_gate_shows_its_figures(checkpoint: Path, tmp_path: Path) -> None:
    """Whoever mends a model needs them more than whoever passed; the exit code is 1."""
    texts = tmp_path / "texts"
    texts.write_text("good food\nbad food\n\n good food \n")

    code, out, err = asked("gate", checkpoint, "-l", "de", "--texts", texts, "--json", *RUNG)

    assert code == 1
    assert json.loads(out)["texts"] == 2
    assert "compared on 2 texts" in err


def test_a_gate_is_tables_for_people(checkpoint: Path, texts: Path) -> None:
    """What each rung agreed and cost stands beside the verdict."""
    code, out, _ = asked("gate", checkpoint, "-l", "de", "--texts", texts, *RUNG)

    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert f"texts {len(TEXTS)}" in rows
    assert any(row.startswith("fp32 ") for row in rows)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_texts_that_can_not_be_read_are_said(
    content: bytes | None, checkpoint: Path, tmp_path: Path
) -> None:
    """A missing file, or one that is not UTF-8, is a wrong command: exit code 2."""
    texts = tmp_path / "texts"
    if content is not None:
        texts.write_bytes(content)

    code, _, err = asked("gate", checkpoint, "-l", "de", "--texts", texts)

    assert code == 2
    assert "texts" in err


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        (("--label", "LABEL_0"), "--label wants NAME=OURS"),
        (("--rung", "int8-dynamc"), "did you mean int8-dynamic?"),
        (("--keep", "10"), "--keep goes with --trim FILE"),
        (("--trim", "/dev/null"), "has no texts"),
    ],
)
@pytest.mark.parametrize("command", ["gate", "register"])
def test_a_wrong_option_starts_nothing(
    command: str, option: tuple[str, str], problem: str, checkpoint: Path
) -> None:
    """Exit code 2, with what it should have been."""
    code, _, err = asked(command, checkpoint, "-l", "de", *option)

    assert code == 2
    assert problem in err


def test_a_text_counts_once(tmp_path: Path) -> None:
    """Two hundred times the same line is no evidence."""
    (tmp_path / "texts").write_text("good\nbad\n\ngood \n")

    assert read(tmp_path / "texts").texts == ("good", "bad")


def test_an_export_that_would_remove_files_is_refused(checkpoint: Path) -> None:
    """`polysent registry export PATH .` in a folder of one's own costs nothing."""
    code, _, err = asked("export", checkpoint, checkpoint, "-l", "de")

    assert code == 1
    assert "holds the checkpoint" in err
    assert (checkpoint / "model.safetensors").is_file()


def test_an_export_has_the_form_that_was_asked_for(checkpoint: Path, tmp_path: Path) -> None:
    """Without a gate that would choose."""
    code, out, _ = asked("export", checkpoint, tmp_path / "out", "-l", "de", *RUNG)

    assert code == 0
    assert "fp32" in out
    assert Manifest.read(tmp_path / "out").precision == "fp32"


def test_an_export_is_trimmed_to_texts(checkpoint: Path, texts: Path, tmp_path: Path) -> None:
    """`--trim` is for every rung but fp32, and the precision says so."""
    words = ("--rung", "int8-rows", "--trim", texts, "--keep", "3")

    code, out, _ = asked("export", checkpoint, tmp_path / "out", "-l", "de", *words)

    assert code == 0
    assert "int8-rows-trimmed" in out
    assert Manifest.read(tmp_path / "out").precision == "int8-rows-trimmed"


def test_a_checkpoint_is_registered(checkpoint: Path, texts: Path, registry: FakeRegistry) -> None:
    """Its steps are told on stderr as they come; the same command finds it afterwards."""
    words = (checkpoint, "-l", "DE", "--texts", texts, "--base-model", "tiny", *RUNG)

    code, out, err = asked("register", *words)
    _, again, _ = asked("register", *words, "--json")

    model = ModelId("de", 1)
    assert code == 0
    assert out == "sentiment-de:1 is registered; `polysent registry promote de`\n"
    assert "inspect the checkpoint" in err
    assert json.loads(again) == {
        "model": "sentiment-de:1",
        "digest": registry.digests[model],
        "new": False,
    }
    assert Manifest.read(registry.folders[model]).base_model == "tiny"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("somewhere",),
        ("-l", "de"),
        ("somewhere", "--from", __file__),
        ("--from", __file__, "--trim", __file__),
        ("--from", "missing.csv"),
    ],
)
def test_register_wants_one_checkpoint_or_one_file(words: tuple[str, ...]) -> None:
    """Exit code 2."""
    assert asked("register", *words)[0] == 2


def write_fleet(folder: Path, *rows: str) -> Path:
    """Write the table of a fleet."""
    file = folder / "fleet.csv"
    file.write_text("\n".join(["language,source,texts,licence", *rows]))
    return file


def test_a_fleet_goes_on_past_what_fails(
    checkpoint: Path, texts: Path, registry: FakeRegistry, tmp_path: Path
) -> None:
    """The exit code says that one failed, the table which and why; the next run finds the rest."""
    (tmp_path / "empty").mkdir()
    rows = [
        f"de,{checkpoint},{texts},MIT",
        f"fr,{tmp_path / 'empty'},{texts},",
        f"nl,{checkpoint},{texts},",
    ]
    file = write_fleet(tmp_path, *rows)

    code, out, err = asked("register", "--from", file, *RUNG)
    _, again, _ = asked("register", "--from", file, *RUNG, "--json")

    rows = [" ".join(line.replace("│", " ").split()) for line in out.splitlines()]
    assert code == 1
    assert "de registered sentiment-de:1" in rows
    assert any(row.startswith("fr failed") and "config.json" in row for row in rows)
    assert "nl registered sentiment-nl:1" in rows
    assert "de: inspect the checkpoint" in err
    assert [row["state"] for row in json.loads(again)] == [
        *("there already", "failed", "there already"),
    ]
    assert Manifest.read(registry.folders[ModelId("de", 1)]).licence == "MIT"


def test_a_wrong_fleet_starts_nothing(
    checkpoint: Path, registry: FakeRegistry, tmp_path: Path
) -> None:
    """Exit code 2, every mistake with its line."""
    file = write_fleet(tmp_path, f"de,{checkpoint},,", f"DE,{checkpoint},missing.txt,", "fr,,,")

    code, _, err = asked("register", "--from", file)

    assert code == 2
    assert "nothing was started" in err
    assert "line 3: texts" in err
    assert "line 3: de is on line 2 already" in err
    assert "line 4: source is empty" in err
    assert registry.folders == {}


def test_a_surprise_ends_one_model_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback goes to stderr, for whoever mends it; what is of ours is a sentence."""
    stderr = Console(file=io.StringIO(), width=200)
    monkeypatch.setattr(console, "err", stderr)

    def make(entry: Entry, say: Say) -> Registered:
        say("begin")
        if entry.language == "de":
            message = "a surprise"
            raise ZeroDivisionError(message)
        if entry.language == "fr":
            message = "MLflow is away"
            raise RegistryUnavailable(message)
        return Registered(ModelId(entry.language, 7), "d" * 64, new=False)

    entries = [Entry(language, "somewhere") for language in ("de", "fr", "nl")]
    with bar(len(entries)) as shown:
        outcomes = list(registered(entries, make, shown))

    assert outcomes == [
        Outcome("de", "failed", reason="ZeroDivisionError: a surprise"),
        Outcome("fr", "failed", reason="MLflow is away"),
        Outcome("nl", "there already", "sentiment-nl:7"),
    ]
    assert cast("io.StringIO", stderr.file).getvalue().count("Traceback") == 1
