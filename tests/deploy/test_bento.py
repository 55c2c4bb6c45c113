import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.container.sbom import interpreter
from deploy.container.smoke import LOOK

pytestmark = pytest.mark.wire

ROOT = Path(__file__).parent.parent.parent
VERSION = "test"
OURS = {"cli", "models", "registry", "serving"}
HEAVY = {"torch", "transformers", "optimum", "mlflow", "pandas", "scikit-learn", "onnx"}
OLDER_PYTHON = {"async-timeout"}
"""What redis asks for below Python 3.11.3, which Debian's is; the tests may run on a newer one."""


def pins() -> dict[str, str]:
    """Return the packages that the Bento installs, and their versions."""
    lines = (ROOT / "deploy/container/requirements.txt").read_text("utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    wanted = [each for each in wanted if not each.marker or each.marker.evaluate()]
    return {canonicalize_name(each.name): str(each.specifier) for each in wanted}


def clone(folder: Path) -> Path:
    """Copy what git has, or would take, into a folder."""
    listed = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def build(folder: Path, home: Path) -> Path:
    """Run `bentoml build` as a person does; returns the Bento's folder."""
    environment = {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    argv = [sys.executable, "-m", "bentoml", "build", "--version", VERSION]
    done = subprocess.run(
        argv, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return home / "bentos" / "polysent" / VERSION


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def bentos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two Bentos of one state of the project, from two clones."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "another")]
    return [build(clone(folder / "clone"), folder / "home") for folder in folders]


def test_bento_is_the_same_from_every_clone(bentos: list[Path]) -> None:
    """Equal hashes of src/ and env/: what runs is what the commit says."""
    one, another = bentos

    for part in ("src", "env"):
        assert digests(one / part)
        assert digests(one / part) == digests(another / part)


def test_bento_holds_our_code_and_nothing_else(bentos: list[Path]) -> None:
    """No models, no tests, no benchmarks, no training: they would be in every image."""
    src = bentos[0] / "src"

    held = {path.relative_to(src) for path in src.rglob("*") if path.is_file()}

    assert {path.parts[0] for path in held if len(path.parts) > 1} == OURS
    assert {path.suffix for path in held if len(path.parts) > 1} == {".py"}
    assert {str(p) for p in held if len(p.parts) == 1} == {
        "LICENSE",
        "bentofile.yaml",
        "service.py",
    }
    assert not (bentos[0] / "models").exists()


def test_image_takes_no_compiler(bentos: list[Path]) -> None:
    """A distro that BentoML knows adds build-essential and git: 600 MB."""
    dockerfile = (bentos[0] / "env/docker/Dockerfile").read_text("utf-8")

    assert "FROM python:3.11-slim-bookworm" in dockerfile
    assert "apt-get" not in dockerfile
    assert "/usr/local/bin/polysent" in dockerfile


def test_bento_installs_what_serving_and_sync_need() -> None:
    """The extras `sync` and `redis`, which take `serve` along, and none of the heavy ones."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["serve"] + extras["sync"] + extras["redis"]
    needed = {canonicalize_name(re.split(r"[<>=\[]", each)[0]) for each in wanted} - {"polysent"}

    assert needed <= pins().keys()
    assert not HEAVY & pins().keys()


def test_bento_pins_what_was_tested_together() -> None:
    """Every version is that of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    tested = {
        canonicalize_name(each.name): str(each.specifier) for each in map(Requirement, lines[1:])
    }

    packed = {name: pin for name, pin in pins().items() if name not in OLDER_PYTHON}

    assert packed.items() <= tested.items()


def test_bento_leaves_no_version_to_chance() -> None:
    """What a package needs is pinned too: a build tomorrow is the build of today."""
    wanted = [
        Requirement(each) for name in pins().keys() - OLDER_PYTHON for each in requires(name) or ()
    ]
    wanted = [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]

    assert {canonicalize_name(each.name) for each in wanted} <= pins().keys()


def test_bill_names_the_interpreter() -> None:
    """python.org's is no package of Debian's, and what is wrong with it is found by its version."""
    assert interpreter()["purl"] == f"pkg:generic/python@{platform.python_version()}"


def test_proof_sees_what_lies_below_the_services_python(tmp_path: Path) -> None:
    """A virtual environment hides the pip of the Python that it was made from."""
    venv.create(tmp_path, symlinks=True, with_pip=False)

    look = [str(tmp_path / "bin/python"), "-c", LOOK]
    found = subprocess.run(look, check=True, capture_output=True, text=True).stdout

    assert "ensurepip" in found.split()
