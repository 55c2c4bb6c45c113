"""Evidence out of a file: a text a line, or a CSV with labels and sources."""

import csv
from collections.abc import Mapping
from pathlib import Path

from models.labels import Label, unify
from registry.gate.evidence import Evidence

TEXT, LABEL, SOURCE = "text", "label", "source"
COLUMNS = (TEXT, LABEL, SOURCE)
CSV = ".csv"

Row = Mapping[str, str]


def read(path: Path) -> Evidence:
    """Return the different texts of a UTF-8 file, in its order.

    A `.csv` has a heading with `text` and, if it likes, `label` (positive, 1 star, ...) and
    `source`; each text is compared with fp32, those with a label with that too. OSError and
    UnicodeDecodeError where it can't be read; ValueError names the line that can't be used.
    """
    found = _rows(path) if path.suffix == CSV else _lines(path)
    rows = list({row[TEXT]: row for row in found}.values())
    known = [row for row in rows if row.get(LABEL)]
    origins = tuple(row.get(SOURCE) or path.name for row in (*rows, *known))
    return Evidence(
        texts=tuple(row[TEXT] for row in rows),
        source=path.name,
        labelled=tuple((row[TEXT], _label(row[LABEL])) for row in known),
        origins=origins if len(set(origins)) > 1 else (),
    )


def _lines(path: Path) -> list[Row]:
    stripped = map(str.strip, path.read_text("utf-8").splitlines())
    return [{TEXT: text} for text in stripped if text]


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, restval="")
        strange = sorted(set(table.fieldnames or ()) - set(COLUMNS))
        if strange or TEXT not in (table.fieldnames or ()):
            message = f"{path.name} has columns {table.fieldnames}; {TEXT!r} and maybe "
            message += f"{LABEL!r} and {SOURCE!r} are wanted"
            raise ValueError(message)
        stripped = [_row(path, table.line_num, row) for row in table]
    return [row for row in stripped if row[TEXT]]


def _row(path: Path, line: int, cells: dict[str | None, str]) -> Row:
    row = {str(name): str(value).strip() for name, value in cells.items()}
    try:
        _label(row.get(LABEL) or "neutral")
    except ValueError as error:
        message = f"{path.name}, line {line}: {error}"
        raise ValueError(message) from error
    if None in cells:
        message = f"{path.name}, line {line}: more cells than the heading has"
        raise ValueError(message)
    return row


def _label(spelled: str) -> Label:
    return unify([spelled])[0]
