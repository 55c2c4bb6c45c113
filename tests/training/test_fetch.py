from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from training.catalogue import Package
from training.errors import FetchFailed, HashMismatch
from training.fetch import fetch

Pin = Callable[[bytes], Package]


@dataclass
class FakeIndex:
    """An index that sends `data` for everything and remembers what it was asked for."""

    data: bytes
    asked: list[str] = field(default_factory=list)

    def __call__(self, package: Package, path: Path) -> None:
        """Write `data` to `path`."""
        self.asked.append(package.filename)
        path.write_bytes(self.data)


def test_cached_file_is_not_fetched_again(tmp_path: Path, pinned: Pin) -> None:
    """The second build needs no network."""
    index = FakeIndex(b"wheel")

    first = fetch(pinned(b"wheel"), tmp_path / "cache", {"wheel": index})
    second = fetch(pinned(b"wheel"), tmp_path / "cache", {"wheel": index})

    assert first == second
    assert first.read_bytes() == b"wheel"
    assert index.asked == ["some-1.0-py3-none-any.whl"]


def test_cached_file_with_a_wrong_hash_is_fetched_again(tmp_path: Path, pinned: Pin) -> None:
    """A damaged cache mends itself."""
    (tmp_path / "some-1.0-py3-none-any.whl").write_bytes(b"whe")

    path = fetch(pinned(b"wheel"), tmp_path, {"wheel": FakeIndex(b"wheel")})

    assert path.read_bytes() == b"wheel"


def test_file_with_another_hash_is_refused_and_not_kept(tmp_path: Path, pinned: Pin) -> None:
    """What is not the pinned file never gets its name."""
    with pytest.raises(HashMismatch, match=r"some-1\.0"):
        fetch(pinned(b"wheel"), tmp_path, {"wheel": FakeIndex(b"trojan")})

    assert list(tmp_path.iterdir()) == []


def test_broken_transfer_leaves_nothing_under_the_name(tmp_path: Path, pinned: Pin) -> None:
    """A download that stops half-way is no file."""

    def cut_off(_: Package, path: Path) -> None:
        path.write_bytes(b"whe")
        raise FetchFailed

    with pytest.raises(FetchFailed):
        fetch(pinned(b"wheel"), tmp_path, {"wheel": cut_off})

    assert list(tmp_path.iterdir()) == []


def test_two_processes_may_fetch_the_same_file(tmp_path: Path, pinned: Pin) -> None:
    """Neither writes into the other's half; both end with the whole file."""

    def interrupted(package: Package, path: Path) -> None:
        path.write_bytes(b"wh")
        fetch(package, tmp_path, {"wheel": FakeIndex(b"wheel")})
        with path.open("ab") as file:
            file.write(b"eel")

    path = fetch(pinned(b"wheel"), tmp_path, {"wheel": interrupted})

    assert path.read_bytes() == b"wheel"
    assert list(tmp_path.iterdir()) == [path]
