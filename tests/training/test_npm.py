from collections.abc import Callable
from pathlib import Path

import pytest

from training import npm
from training.catalogue import Package
from training.errors import FetchFailed

Pin = Callable[[bytes], Package]
FAKE = """#!/bin/sh
[ "$1 $2 $3 $4" = "pack some@1.0 --ignore-scripts --pack-destination" ] || exit 1
printf tarball > "$5/some-1.0.tgz"
"""


@pytest.fixture
def package(pinned: Pin) -> Package:
    """Return a pinned npm package."""
    return pinned(b"tarball").model_copy(update={"kind": "npm", "filename": "some-1.0.tgz"})


def install(folder: Path, script: str) -> None:
    """Put an npm into a folder."""
    (folder / "npm").write_text(script)
    (folder / "npm").chmod(0o755)


def test_tarball_is_packed_without_running_its_scripts(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`npm pack --ignore-scripts`, and only the file is left."""
    install(tmp_path, FAKE)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    npm.download(package, tmp_path / "part")

    assert (tmp_path / "part").read_text() == "tarball"
    assert {path.name for path in tmp_path.iterdir()} == {"npm", "part"}


def test_missing_npm_is_said_so(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without npm gets a sentence that the evaluation can show."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(FetchFailed, match="npm, which is not installed"):
        npm.download(package, tmp_path / "part")


def test_failing_npm_is_said_so(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What npm fails at is our error, with the name of the file."""
    install(tmp_path, "#!/bin/sh\nexit 3\n")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(FetchFailed, match="could not be downloaded"):
        npm.download(package, tmp_path / "part")
