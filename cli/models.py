"""`polysent models`: asks the running service."""

from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from cli import console, servers

app = typer.Typer(no_args_is_help=True)
TIMEOUT_SECONDS = 5.0


@app.command("list")
def list_models(
    *, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List what the running service serves, and whether it is in memory."""
    with console.spoken_errors():
        url = servers.service_url(console.settings())
        languages = _ask(f"{url}/languages").get("languages", [])
    if json:
        console.print_json(languages)
        return
    table = Table("language", "model", "version", "state", "covers")
    for row in languages:
        model = row["model"]
        table.add_row(
            row["language"],
            model["name"],
            str(model["version"]),
            row["state"],
            f"{len(row['covers'])} languages" if len(row["covers"]) > 1 else "",
        )
    console.out.print(table)


def _ask(url: str) -> dict[str, Any]:
    try:
        answer = httpx.get(url, timeout=TIMEOUT_SECONDS, trust_env=False)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        console.err.print(f"[bold red]No service answers at {url}[/]: {error}", highlight=False)
        raise typer.Exit(console.REFUSED) from error
    return found
