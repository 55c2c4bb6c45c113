"""Frequent words of a language, from the lists that the wordfreq wheel carries."""

import gzip
from itertools import chain, islice
from pathlib import Path

import msgpack

from training.archive import member
from training.errors import AssetBroken


def frequent(wheel: Path, name: str, count: int) -> list[str]:
    """Return the `count` most frequent words of the list `name` ("large_de"), commonest first.

    A list is gzipped msgpack: a header, then one array of words for each centibel of frequency.
    """
    data = member(wheel, f"wordfreq/data/{name}.msgpack.gz")
    try:
        header, *buckets = msgpack.unpackb(gzip.decompress(data))
    except (gzip.BadGzipFile, ValueError) as error:
        message = f"{wheel.name}: {name} is no word list"
        raise AssetBroken(message) from error
    if header.get("format") != "cB":
        message = f"{wheel.name}: {name} has the format {header.get('format')}"
        raise AssetBroken(message)
    return list(islice(chain.from_iterable(buckets), count))
