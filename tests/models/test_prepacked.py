import logging
import subprocess
import sys
from pathlib import Path

import pytest
from onnxruntime import InferenceSession

from models import memory
from models.engine import choose, prepacked
from models.engine.form import NAME as FORM
from models.engine.instructions import isa
from models.engine.onnx import OnnxEngine
from models.errors import ManifestInvalid, StoreFailed
from models.manifest import MODEL, WEIGHTS, Manifest
from models.tokens import pad
from tests.tiny import write_tiny

ROWS = [[2, 8, 5], [3]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a tiny artifact."""
    write_tiny(tmp_path / "artifact")
    return tmp_path / "artifact"


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_both_forms_answer_alike(folder: Path, tmp_path: Path) -> None:
    """The prepacked form is another layout of the same model."""
    form = prepacked.make(folder, tmp_path)

    answers = [
        OnnxEngine(folder, 1).run(pad(ROWS, 0)).tolist(),
        OnnxEngine(form, 1, prepacked=True).run(pad(ROWS, 0)).tolist(),
    ]

    assert answers[0] == answers[1]


def test_what_was_made_is_found_and_not_made_again(folder: Path, tmp_path: Path) -> None:
    """One form serves every later opening."""
    assert prepacked.find(folder, tmp_path) is None
    form = prepacked.make(folder, tmp_path)
    made = (form / MODEL).stat().st_ino

    assert prepacked.find(folder, tmp_path) == form
    assert prepacked.make(folder, tmp_path) == form
    assert (form / MODEL).stat().st_ino == made


def test_verified_files_are_never_touched(folder: Path, tmp_path: Path) -> None:
    """The artifact keeps its bytes, whatever is derived from it."""
    before = snapshot(folder)

    prepacked.make(folder, tmp_path)

    assert snapshot(folder) == before


@pytest.mark.parametrize("name", [MODEL, WEIGHTS, FORM])
def test_a_damaged_form_is_none_and_is_made_again(folder: Path, tmp_path: Path, name: str) -> None:
    """A file that is missing or was written to spoils the form."""
    form = prepacked.make(folder, tmp_path)
    (form / name).write_bytes(b"{")
    assert prepacked.find(folder, tmp_path) is None

    assert prepacked.make(folder, tmp_path) == form
    assert prepacked.find(folder, tmp_path) == form


def test_a_form_of_another_model_is_foreign(folder: Path, tmp_path: Path) -> None:
    """The digest inside counts, not the name of the folder."""
    form = prepacked.make(folder, tmp_path)
    manifest = form / FORM
    digest = Manifest.read(folder).digest
    manifest.write_text(manifest.read_text().replace(digest, "0" * 64))

    assert prepacked.find(folder, tmp_path) is None


def test_other_logits_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form that answers otherwise is not kept."""
    write_tiny(tmp_path / "other", sure=3.0)
    save = prepacked._save
    (tmp_path / "beside").mkdir()

    def mixed_up(artifact: Path, staging: Path) -> InferenceSession:
        save(tmp_path / "other", staging)
        return save(artifact, tmp_path / "beside")

    monkeypatch.setattr(prepacked, "_save", mixed_up)

    with pytest.raises(StoreFailed, match="other logits"):
        prepacked.make(folder, tmp_path)
    assert prepacked.find(folder, tmp_path) is None
    assert not list(prepacked.root(tmp_path).glob(f"{prepacked.STAGING}*"))


def test_what_a_killed_make_left_is_removed_by_the_next(folder: Path, tmp_path: Path) -> None:
    """Nothing piles up under kill -9."""
    leftover = prepacked.root(tmp_path) / f"{prepacked.STAGING}killed"
    leftover.mkdir(parents=True)
    (leftover / WEIGHTS).write_bytes(bytes(10))

    prepacked.make(folder, tmp_path)

    assert not leftover.exists()


def test_two_processes_make_it_once(folder: Path, tmp_path: Path) -> None:
    """Who comes second waits and finds it."""
    code = (
        "import sys; from pathlib import Path\n"
        "from models.engine import prepacked as p; save = p._save\n"
        "p._save = lambda *a: (print('made'), save(*a))[1]\n"
        "p.make(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(folder), str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    said = [process.communicate(timeout=60)[0] for process in started]

    assert [process.returncode for process in started] == [0, 0]
    assert "".join(said).count("made") == 1


def test_a_full_disk_is_no_reason_not_to_answer(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The portable form is opened, and the log says so once."""
    monkeypatch.setattr(prepacked, "free", lambda _: 0)

    with caplog.at_level(logging.WARNING):
        engines = [choose.open_engine("onnx", folder, 1, tmp_path) for _ in range(2)]

    assert all(engine.run(pad(ROWS, 0)).shape == (2, 2) for engine in engines)
    assert len(caplog.records) == 1
    assert "the disk has 0 left" in caplog.text


def test_a_home_that_can_not_be_written_is_none_either(folder: Path, tmp_path: Path) -> None:
    """A read-only volume serves, at more memory each."""
    (tmp_path / "polysent").write_text("in the way")

    engine = choose.open_engine("onnx", folder, 1, tmp_path)

    assert engine.run(pad(ROWS, 0)).shape == (2, 2)


def test_forms_of_models_that_are_gone_are_forgotten(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the models that are kept stay."""
    monkeypatch.setattr(prepacked, "RECENT_SECONDS", -1.0)
    kept = prepacked.make(folder, tmp_path)
    write_tiny(tmp_path / "other", sure=3.0)
    gone = prepacked.make(tmp_path / "other", tmp_path)

    forgotten = prepacked.forget(tmp_path, {Manifest.read(folder).digest})

    assert forgotten == [gone]
    assert kept.is_dir()
    assert not gone.exists()


def test_it_holds_no_more_than_it_claims(folder: Path, tmp_path: Path) -> None:
    """The bound is known before it is opened."""
    prepacked.make(folder, tmp_path)

    engine = choose.open_engine("onnx", folder, 1, tmp_path)
    engine.run(pad(ROWS, 0))

    assert 0 < engine.nbytes <= choose.claims("onnx", folder, tmp_path)


def test_instruction_sets_have_short_names(tmp_path: Path) -> None:
    """The best that the CPU has names the form."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx avx2 avx512f avx512_vnni\n")

    assert isa(cpuinfo) == "avx512vnni"
    assert isa(tmp_path / "none")


def test_size_of_what_is_mapped_is_known(folder: Path, tmp_path: Path) -> None:
    """A form that is closed maps nothing."""
    form = prepacked.make(folder, tmp_path)
    engine = OnnxEngine(form, 1, prepacked=True)
    engine.close()

    assert memory.spanned(form) == memory.mapped(form) == 0


def test_a_form_is_readable_by_others(folder: Path, tmp_path: Path) -> None:
    """The sync and the service may be two users."""
    form = prepacked.make(folder, tmp_path)

    assert all(path.stat().st_mode & 0o444 == 0o444 for path in (form, *form.iterdir()))


def test_what_is_no_artifact_has_no_form(tmp_path: Path) -> None:
    """Asking is no error; making one is."""
    assert prepacked.find(tmp_path, tmp_path) is None
    with pytest.raises(ManifestInvalid):
        prepacked.make(tmp_path, tmp_path)
