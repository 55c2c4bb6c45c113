"""What the gate measured, for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from models.units import size

if TYPE_CHECKING:
    from models.manifest import Gate

PARTS = ("slices", "rungs", "champion")
"""What has a table of its own; a reason is told where the verdict is."""


def tables(gate: "Gate") -> Iterator[Table]:
    """Yield the figures, then the rungs of the ladder, the slices and the champion beside it."""
    plain = gate.model_dump(mode="json", exclude={"reasons"}, exclude_none=True)
    plain |= plain.pop("circumstances", {})
    yield _pairs("the gate", {name: plain[name] for name in plain if name not in PARTS})
    if rungs := plain.get("rungs"):
        yield _rows("rungs, in the order of trial", rungs)
    if slices := plain.get("slices"):
        yield _rows("parts of the texts", slices)
    if champion := plain.get("champion"):
        yield _pairs("beside the champion (new minus old)", champion)


def _pairs(title: str, facts: Mapping[str, Any]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, show_header=False)
    for name, value in facts.items():
        if value not in ("", []):
            table.add_row(name.replace("_", " "), _spelled(value))
    return table


def _rows(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    headers = ("size" if name == "nbytes" else name.replace("_", " ") for name in names)
    table = Table(*headers, title=title, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(_cell(name, row.get(name)) for name in names))
    return table


def _cell(name: str, value: object) -> str:
    return size(value) if name == "nbytes" and isinstance(value, int) else _spelled(value)


def _spelled(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(_spelled, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else escape(str(value))
