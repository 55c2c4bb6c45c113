import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def problems(*files: Path) -> str:
    """Return what actionlint has to say; it calls shellcheck for each script."""
    programs = Path(sys.executable).parent
    said = subprocess.run(
        [programs / "actionlint", "-no-color", *files],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout + said.stderr


def test_workflows_are_right() -> None:
    """Names, inputs, expressions, and the shell in them."""
    assert problems(*WORKFLOWS) == ""


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_slip_in_a_workflow_is_found(file: Path, tmp_path: Path) -> None:
    """A misspelt key: GitHub would refuse the file, or do nothing."""
    copy = tmp_path / file.name
    shutil.copyfile(file, copy)
    copy.write_text(copy.read_text("utf-8").replace("runs-on:", "run-on:"), "utf-8")
    assert "run-on" in problems(copy)


def test_scripts_in_workflows_are_read_by_shellcheck(tmp_path: Path) -> None:
    """Without it actionlint would be content with any shell."""
    copy = tmp_path / "release.yml"
    text = (WORKFLOWS[0].parent / "release.yml").read_text("utf-8")
    copy.write_text(text.replace('push "$IMAGE"', "push $IMAGE"), "utf-8")
    assert "SC2086" in problems(copy)
