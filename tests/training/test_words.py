import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgpack
import pytest

from training.errors import AssetBroken
from training.words import frequent

Write = Callable[[str, Mapping[str, bytes]], Path]


def listed(content: list[Any]) -> dict[str, bytes]:
    """Return the member of a wheel with one word list."""
    data = gzip.compress(msgpack.packb(content))
    return {"wordfreq/data/small_xx.msgpack.gz": data}


def test_commonest_words_come_first(zipped: Write) -> None:
    """One bucket after the other, no more than asked for."""
    wheel = zipped("w.whl", listed([{"format": "cB"}, [], ["the", "of"], ["film", "rare"]]))

    assert frequent(wheel, "small_xx", 3) == ["the", "of", "film"]


def test_list_in_another_format_is_refused(zipped: Write) -> None:
    """A new release of the lists is not misread."""
    wheel = zipped("w.whl", listed([{"format": "dB"}, ["the"]]))

    with pytest.raises(AssetBroken, match="dB"):
        frequent(wheel, "small_xx", 3)


def test_file_that_is_no_list_is_refused(zipped: Write) -> None:
    """Nothing of gzip or msgpack leaks out."""
    wheel = zipped("w.whl", {"wordfreq/data/small_xx.msgpack.gz": b"text"})

    with pytest.raises(AssetBroken, match="no word list"):
        frequent(wheel, "small_xx", 3)
