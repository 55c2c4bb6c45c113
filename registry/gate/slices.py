"""Parts of the evidence on which a model could be worse than on the whole."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from models.certificate import Slice
from registry.gate.compared import Compared, accuracy, agreement, mean_change

THIRDS = ("short", "medium", "long")
LEAST = 10
"""Rows; a smaller slice says nothing."""


def slices(rows: Sequence[Compared]) -> tuple[Slice, ...]:
    """Return the thirds by length and, where there are several, the sources; larger than LEAST."""
    parts = [*_thirds(rows), *_origins(rows)]
    return tuple(_slice(name, part) for name, part in parts if len(part) >= LEAST)


def _thirds(rows: Sequence[Compared]) -> Iterator[tuple[str, list[Compared]]]:
    ordered = sorted(rows, key=lambda row: row.length)
    for index, name in enumerate(THIRDS):
        start, end = (len(ordered) * at // len(THIRDS) for at in (index, index + 1))
        yield f"length: {name}", ordered[start:end]


def _origins(rows: Sequence[Compared]) -> list[tuple[str, list[Compared]]]:
    by_origin: defaultdict[str, list[Compared]] = defaultdict(list)
    for row in rows:
        by_origin[row.origin].append(row)
    several = len(by_origin) > 1
    return [(f"source: {name}", by_origin[name]) for name in sorted(by_origin) if several]


def _slice(name: str, rows: Sequence[Compared]) -> Slice:
    accuracy_fp32, ours = accuracy(rows)
    return Slice(
        name=name,
        texts=len(rows),
        agreement=agreement(rows),
        mean_score_change=mean_change(rows),
        labelled=sum(row.right is not None for row in rows),
        accuracy_fp32=accuracy_fp32,
        accuracy=ours,
    )
