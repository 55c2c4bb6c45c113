"""`polysent models`: what the running service holds in memory, why, and how to change it."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from cli import console
from cli.client import Client
from models.units import duration, size

app = typer.Typer(no_args_is_help=True)

COLOURS = {"resident": "green", "loading": "yellow", "cold": "dim", "quarantined": "bold red"}

Language = Annotated[str, typer.Argument(help="BCP-47 tag, such as de or pt-BR.")]
Url = Annotated[str, typer.Option(help="Address of the service; default: that of the settings.")]
Token = Annotated[
    str,
    typer.Option(
        envvar="POLYSENT_ADMIN_TOKEN",
        help="What the service asks for; default: what it wrote into this machine's store.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_models(*, url: Url = "", json: Json = False) -> None:
    """List what the running service serves: state, memory, last use, hits, pins.

    Example: polysent models list --json
    """
    with console.spoken_errors():
        served = Client.of(console.settings(), url).models()
    if json:
        console.print_json(served)
        return
    table = Table("language", "model", "state", box=box.SIMPLE_HEAD, pad_edge=False)
    for right in ("memory", "last use", "hits"):
        table.add_column(right, justify="right", no_wrap=True)
    table.add_column("pinned")
    notes = [_beside(row) for row in served["models"]]
    if any(notes):
        table.add_column("beside it")
    for row, note in zip(served["models"], notes, strict=True):
        table.add_row(*_cells(row), *([note] if any(notes) else []))
    console.out.print(table)
    console.out.print(_memory(served["memory"]), highlight=False)


@app.command()
def explain(language: Language, *, url: Url = "", json: Json = False) -> None:
    """Say why a model is in memory or not, and what a text would cost now.

    Example: polysent models explain pt-BR
    """
    with console.spoken_errors():
        explained = Client.of(console.settings(), url).explain(language)
    if json:
        console.print_json(explained)
        return
    row = explained["model"]
    console.out.print(f"[bold]{_name(row)}[/] is {_coloured(row['state'])}")
    for sentence in explained["why"]:
        console.out.print(f"  - {sentence}", highlight=False, markup=False)
    console.out.print("A text in this language, now:")
    for sentence in explained["request"]:
        console.out.print(f"  - {sentence}", highlight=False, markup=False)


@app.command()
def pin(language: Language, *, url: Url = "", token: Token = "", json: Json = False) -> None:
    """Open a model and keep it open, the versions promoted later as well.

    Lasts until the service stops; POLYSENT_PIN lasts longer. Example: polysent models pin de
    """
    _change(Client.of(console.settings(), url, token), language, "pin", json=json)


@app.command()
def unpin(language: Language, *, url: Url = "", token: Token = "", json: Json = False) -> None:
    """Let a model make room for others again.

    Example: polysent models unpin de
    """
    _change(Client.of(console.settings(), url, token), language, "unpin", json=json)


@app.command()
def evict(language: Language, *, url: Url = "", token: Token = "", json: Json = False) -> None:
    """Close a model once its last text is answered; the next text opens it again.

    Example: polysent models evict de
    """
    _change(Client.of(console.settings(), url, token), language, "evict", json=json)


def _change(client: Client, language: str, verb: str, *, json: bool) -> None:
    with console.spoken_errors():
        row = client.change(language, verb)
    if json:
        console.print_json(row)
        return
    pinned = "pinned" if row["pinned"] else "not pinned"
    held = f" with {size(row['bytes'])}" if row["bytes"] else ""
    console.out.print(f"{_name(row)}: {_coloured(row['state'])}{held}, {pinned}", highlight=False)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["language"],
        _name(row),
        _coloured(row["state"]),
        size(row["bytes"]) if row["bytes"] else "-",
        _ago(row["last_used"]),
        f"{row['hits']:,}",
        "yes" if row["pinned"] else "",
    )


def _beside(row: dict[str, Any]) -> str:
    """Say which other version takes part, or is to."""
    if swap := row.get("swap"):
        return f"[yellow]{swap['model']['version']} waits: {swap['why']}[/]"
    if other := row.get("challenger"):
        part = "shadow" if other["shadow"] else ""
        share = f"{other['share']:.0%}" if other["share"] else ""
        return " ".join(filter(None, [f"{other['model']['version']}:", share, part]))
    return ""


def _name(row: dict[str, Any]) -> str:
    return f"{row['model']['name']}:{row['model']['version']}"


def _coloured(state: str) -> str:
    colour = COLOURS.get(state, "default")
    return f"[{colour}]{state}[/]"


def _ago(moment: str | None) -> str:
    if moment is None:
        return "never"
    past = datetime.now(UTC) - datetime.fromisoformat(moment)
    return f"{duration(past.total_seconds())} ago"


def _memory(memory: dict[str, int]) -> str:
    used, limit, pinned = (size(memory[name]) for name in ("used", "limit", "pinned"))
    return f"{used} of {limit} in use, {pinned} pinned"
