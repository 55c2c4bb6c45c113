from collections.abc import Callable
from pathlib import Path

import pytest

from training.catalogue import Package
from training.errors import FetchFailed
from training.pip_index import download, parse, pip_settings

Pin = Callable[[bytes], Package]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the page folder of package `some` in a local index that pip is set to."""
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    page = tmp_path / "simple" / "some"
    page.mkdir(parents=True)
    return page


def offer(page: Path, data: bytes) -> None:
    """Put the wheel of `some` on its page."""
    name = "some-1.0-py3-none-any.whl"
    (page / name).write_bytes(data)
    (page / "index.html").write_text(f'<html><body><a href="{name}">{name}</a></body></html>')


def test_file_comes_from_the_index_of_the_users_pip(
    index: Path, tmp_path: Path, pinned: Pin
) -> None:
    """A mirror is used where pip uses it; no index is named in our code."""
    offer(index, b"wheel")

    download(pinned(b"wheel"), tmp_path / "part")

    assert (tmp_path / "part").read_bytes() == b"wheel"


def test_file_that_no_index_offers_is_said_so(index: Path, tmp_path: Path, pinned: Pin) -> None:
    """The name of the missing file is in the error."""
    (index / "index.html").write_text("<html><body></body></html>")

    with pytest.raises(FetchFailed, match=r"offers no some-1\.0-py3-none-any\.whl"):
        download(pinned(b"wheel"), tmp_path / "part")


@pytest.mark.usefixtures("index")
def test_index_that_does_not_answer_is_said_so(
    tmp_path: Path, pinned: Pin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network there is one sentence, not a stack of libraries."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")

    with pytest.raises(FetchFailed, match="could not be downloaded"):
        download(pinned(b"wheel"), tmp_path / "part")


def test_environment_wins_over_the_files_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with pip itself."""
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nowhere")

    assert pip_settings()["index-url"] == ["file:///nowhere"]


def test_listing_of_pip_is_read_by_key() -> None:
    """Several values of one key are parted by blanks; what is no index setting is left out."""
    listing = (
        "global.extra-index-url='file:///a file:///b'\n"
        "global.timeout='60'\n"
        "install.index-url='file:///c'\n"
        "download.find-links='\\n/d\\n/e'\n"
    )

    assert dict(parse(listing)) == {
        "extra-index-url": ["file:///a", "file:///b"],
        "find-links": ["/d", "/e"],
    }
