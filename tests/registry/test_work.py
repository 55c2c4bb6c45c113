from pathlib import Path

import pytest

from models.certificate import Circumstances
from models.manifest import NAME, WEIGHTS
from registry.work import Choice, Work
from tests.tiny import write_tiny

CHOICE = Choice(question="q", rung="int8", circumstances=Circumstances())


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Return the work folder of a checkpoint, not yet there."""
    return Work(tmp_path / "de" / ("b" * 16))


def test_older_checkpoints_of_the_language_are_forgotten(work: Work, tmp_path: Path) -> None:
    """Their exports are gigabytes; what else a person keeps there stays."""
    for name in ("a" * 16, "b" * 16, "notes", "c" * 15):
        (tmp_path / "de" / name / "int8").mkdir(parents=True)
    (tmp_path / "nl" / ("a" * 16)).mkdir(parents=True)

    work.forget_others()

    assert {path.name for path in (tmp_path / "de").iterdir()} == {"b" * 16, "notes", "c" * 15}
    assert (tmp_path / "nl" / ("a" * 16)).is_dir()


def test_nothing_is_forgotten_where_nothing_is(work: Work) -> None:
    """The first export of a language has no folder yet."""
    work.forget_others()

    assert not work.folder.exists()


def test_a_choice_holds_for_its_question(work: Work) -> None:
    """Other texts, or another floor, are to be judged anew; a broken file is no choice."""
    work.rung("int8").mkdir(parents=True)
    work.rung("fp32").mkdir(parents=True)

    work.choose(CHOICE)

    assert work.choice("q") == CHOICE
    assert work.choice("another") is None
    assert not work.rung("fp32").exists()
    (work.folder / "choice.json").write_text("{")
    assert work.choice("q") is None


def test_only_a_whole_artifact_is_found(work: Work) -> None:
    """The work folder is trusted as far as its hashes go."""
    manifest = write_tiny(work.rung("int8"))

    assert work.manifest("int8") == manifest
    (work.rung("int8") / WEIGHTS).write_bytes(b"")
    assert work.manifest("int8") is None
    assert work.manifest("fp32") is None


def test_an_unchanged_manifest_is_not_written_again(work: Work) -> None:
    """Another process may be uploading it."""
    manifest = write_tiny(work.rung("int8"))
    before = (work.rung("int8") / NAME).stat().st_ino

    work.keep("int8", manifest)

    assert (work.rung("int8") / NAME).stat().st_ino == before
