import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def problems(*files: Path) -> str:
    """Return what actionlint has to say; it calls shellcheck for each script."""
    said = subprocess.run(
        ["actionlint", "-no-color", *files], capture_output=True, text=True, check=False
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
