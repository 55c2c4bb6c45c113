"""`polysent registry history`: which version answered when, and who changed it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from cli import console, mlflow, options
from models.errors import RegistryUnavailable
from models.languages import canonical
from models.store import Store

if TYPE_CHECKING:
    from registry.source import Version
    from registry.syncing.journal import Move

SOMEBODY = "unknown (MLflow page or API)"


def history(language: options.Tagged, *, json: options.Json = False) -> None:
    """Show what moved in this store, newest first, and what MLflow says of the versions.

    Example: polysent registry history de --json
    """
    from registry.syncing.journal import Journal  # noqa: PLC0415  (each command imports what it needs)

    with console.spoken_errors():
        settings = console.settings()
        tag = canonical(language)
        moves = [_move(move) for move in Journal.of(Store.default()).moves(tag)][::-1]
        versions: list[dict[str, Any]] = []
        try:
            versions = [_version(each) for each in mlflow.registry(settings).versions(tag)]
        except RegistryUnavailable as problem:
            console.err.print(escape(str(problem)), highlight=False)
    if json:
        console.print_json({"language": tag, "moves": moves, "versions": versions})
        return
    console.out.print(_table(f"Moves of {tag} in this store", moves))
    console.out.print(_table(f"Versions of {tag} in MLflow", versions))


def moment(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _move(move: "Move") -> dict[str, Any]:
    return {
        "when": moment(move.at),
        "alias": move.alias,
        "from": move.before or None,
        "to": move.after or None,
        "share": move.share or None,
        "who": move.who or SOMEBODY,
        "evidence": move.evidence or None,
    }


def _version(version: "Version") -> dict[str, Any]:
    from registry.promote import refusal  # noqa: PLC0415
    from registry.syncing.moves import BY  # noqa: PLC0415

    tags = version.tags
    return {
        "version": version.model.version,
        "created": moment(version.created),
        "gate": "; ".join(refusal(tags)) or _passed(tags),
        "state": tags.get("serving.state"),
        "since": tags.get("serving.at"),
        "promoted_by": tags.get(BY),
        "error": tags.get("serving.error") or None,
    }


def _passed(tags: Mapping[str, str]) -> str:
    with suppress(KeyError, ValueError):  # people write into tags
        agreement, texts = float(tags["gate.agreement"]), tags["gate.texts"]
        return f"passed: as fp32 on {agreement:.1%} of {texts} texts"
    return "passed"


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table | str:
    if not rows:
        return f"{title}: none"
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    table = Table(*(name.replace("_", " ") for name in names), title=title, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*("-" if row[name] is None else escape(str(row[name])) for name in names))
    return table
