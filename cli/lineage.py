"""`polysent registry lineage`: from an answer to the data and the code that made it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli import candidates, console, mlflow, options
from cli.history import moment
from models.store import Store

if TYPE_CHECKING:
    from registry.lineage import Lineage

Subject = Annotated[str, typer.Argument(help="de (what answers now), de:3, or a tag of the store.")]


def lineage(subject: Subject, *, json: options.Json = False) -> None:
    """Trace an answer: version, artifact, run, training data, gate, code.

    `model.name` and `model.version` of the answer are the subject. Example: polysent registry
    lineage sentiment-de:3
    """
    from registry.lineage import lineage as run  # noqa: PLC0415  (each command what it needs)

    with console.spoken_errors():
        registry = mlflow.registry(console.settings())
        try:
            found = run(registry, Store.default(), subject)
        except ValueError as error:
            candidates.misused(str(error))
    plain = _plain(found)
    if json:
        console.print_json(plain)
        return
    table = Table(box=None, show_header=False)
    for step, facts in plain.items():
        for index, (name, value) in enumerate(_short(facts).items()):
            table.add_row("" if index else step, name.replace("_", " "), escape(_spelled(value)))
    console.out.print(table)


def _plain(found: "Lineage") -> dict[str, dict[str, Any]]:
    return {
        "answer": {"name": found.model.name, "version": found.model.version},
        "version": _version(found),
        "artifact": {
            "tag": found.tag and str(found.tag),
            "digest": found.digest,
            "as_registered": found.genuine,
        },
        "run": {"id": found.run},
        "data": {"digest": found.data},
        "gate": _gate(found),
        "code": {"commit": found.commit},
    }


def _version(found: "Lineage") -> dict[str, Any]:
    from registry.syncing.moves import AT, BY  # noqa: PLC0415

    if found.version is None:
        return {"created": None}
    tags = found.version.tags
    return {
        "created": moment(found.version.created),
        "state": tags.get("serving.state"),
        "promoted_by": tags.get(BY),
        "promoted_at": tags.get(AT),
    }


def _gate(found: "Lineage") -> dict[str, Any]:
    """Return the certificate of the manifest, else what MLflow tells of it."""
    if found.manifest is not None and found.manifest.gate is not None:
        return found.manifest.gate.model_dump(mode="json", exclude_none=True)
    tags = found.version.tags if found.version else {}
    return {
        tag.removeprefix("gate."): value for tag, value in tags.items() if tag.startswith("gate.")
    }


def _short(facts: dict[str, Any]) -> dict[str, Any]:
    """Leave out the tables within a certificate; `--json` and `gate` show them."""
    return {name: value for name, value in facts.items() if not isinstance(value, (list, dict))}


def _spelled(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return str(value)
