"""A whole fleet in a table: one row a model, every mistake told before anything starts."""

import csv
import difflib
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from models.errors import ClientError
from models.languages import canonical
from registry.checkpoints.checkpoint import UNKNOWN
from registry.entry import Entry, mapping, words
from registry.gate import evidence_file

NEEDED = ("language", "source")
COLUMNS = (*NEEDED, "covers", "labels", "texts", "licence", "base_model", "data_digest")
Fleet = tuple[tuple[Entry, ...], tuple[str, ...]]
"""The entries, and everything that is wrong with them, by line; wrong ones are left out."""


def read(path: Path) -> Fleet:
    """Read a file, whose relative paths start at its folder; OSError where it can't be read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # spreadsheets write a mark before it
        rows = list(_rows(text))
    except UnicodeDecodeError as error:
        return (), (f"it is not UTF-8: {error}",)
    except csv.Error as error:
        return (), (f"it is no CSV: {error}",)
    if not rows:
        return (), ("it is empty",)
    (line, names), *rows = rows
    if problems := _header(names):
        return (), tuple(f"line {line}: {problem}" for problem in problems)
    return _entries(names, rows, path.parent) if rows else ((), ("it has no rows",))


def _rows(text: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cells)]


def _header(names: Sequence[str]) -> list[str]:
    problems = [f"the column {name} is missing" for name in NEEDED if name not in names]
    problems += [_unknown(name) for name in names if name not in COLUMNS]
    twice = sorted({name for name in names if names.count(name) > 1})
    return problems + [f"the column {name} is there twice" for name in twice]


def _unknown(name: str) -> str:
    alike = difflib.get_close_matches(name.lower(), COLUMNS, n=1)
    meant = f"did you mean {alike[0]}?" if alike else f"there are {', '.join(COLUMNS)}"
    return f"the column {name!r} is unknown; {meant}"


def _entries(names: Sequence[str], rows: Sequence[tuple[int, list[str]]], folder: Path) -> Fleet:
    entries: list[Entry] = []
    wrong: list[str] = []
    first: dict[str, int] = {}
    for line, cells in rows:
        row = dict.fromkeys(COLUMNS, "") | dict(zip(names, cells, strict=False))
        language = row["language"]
        with suppress(ClientError):
            language = canonical(language)
        problems = _problems(row, folder)
        if len(cells) != len(names):
            problems.insert(0, f"it has {len(cells)} cells, the header {len(names)}")
        if language and first.setdefault(language, line) != line:
            problems.append(f"{language} is on line {first[language]} already")
        wrong += [f"line {line}: {problem}" for problem in problems]
        if not problems:
            entries.append(_entry(row, folder))
    return tuple(entries), tuple(wrong)


def _entry(row: Mapping[str, str], folder: Path) -> Entry:
    return Entry(
        language=canonical(row["language"]),
        source=_source(row["source"], folder),
        covers=tuple(map(canonical, words(row["covers"]))),
        labels=mapping(_pairs(row["labels"])),
        texts=folder / Path(row["texts"]).expanduser() if row["texts"] else None,
        licence=row["licence"],
        base_model=row["base_model"],
        data_digest=row["data_digest"] or UNKNOWN,
    )


def _problems(row: Mapping[str, str], folder: Path) -> list[str]:
    checks: dict[str, Callable[[str], object]] = {
        "language": canonical,
        "source": lambda spelled: _source(spelled, folder),
        "covers": lambda spelled: [canonical(tag) for tag in words(spelled)],
        "labels": lambda spelled: mapping(_pairs(spelled)),
        "texts": lambda spelled: (
            spelled and evidence_file.read(folder / Path(spelled).expanduser())
        ),
    }
    return [
        problem for name, check in checks.items() if (problem := _problem(name, row[name], check))
    ]


def _problem(name: str, cell: str, check: Callable[[str], object]) -> str:
    if name in NEEDED and not cell:
        return f"{name} is empty"
    try:
        check(cell)
    except OSError as error:
        return f"{name}: {error.filename}: {error.strerror}"
    except (ClientError, ValueError) as error:
        return f"{name}: {error}"
    return ""


def _pairs(spelled: str) -> list[str]:
    return [pair.strip() for pair in spelled.split(";") if pair.strip()]


def _source(spelled: str, folder: Path) -> str:
    """Return the path of a directory or a hub id; ValueError where it can be neither."""
    local = folder / Path(spelled).expanduser()
    if local.is_dir():
        return str(local)
    if spelled[0] in "./~" or spelled.count("/") != 1:
        message = f"{local} is no directory"
        raise ValueError(message)
    return spelled
