from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from training.archive import member
from training.errors import AssetBroken

Write = Callable[[str, Mapping[str, bytes]], Path]


def test_member_of_a_wheel_is_read(zipped: Write) -> None:
    """Wheels are zip files."""
    assert member(zipped("a.whl", {"a/b": b"c"}), "a/b") == b"c"


def test_member_of_a_tarball_is_named_below_its_top_folder(tarred: Write) -> None:
    """The name holds for every version of a source package."""
    assert member(tarred("a-1.tar.gz", {"a-1/b/c": b"d"}), "b/c") == b"d"


def test_missing_member_is_said_so(zipped: Write, tarred: Write) -> None:
    """Both kinds fail alike."""
    for archive in (zipped("a.whl", {"a": b""}), tarred("a-1.tar.gz", {"a-1/a": b""})):
        with pytest.raises(AssetBroken, match="no readable b"):
            member(archive, "b")


def test_file_that_is_no_archive_is_said_so(tmp_path: Path) -> None:
    """Nothing of zipfile or tarfile leaks out."""
    for name in ("a.whl", "a.tar.gz"):
        (tmp_path / name).write_bytes(b"html")
        with pytest.raises(AssetBroken):
            member(tmp_path / name, "b")
