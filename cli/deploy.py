"""`polysent deploy`: files that say where the Bento runs, checked before anything is sent."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import yaml
from rich.markup import escape

from cli import console

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML of a deployment.")]
Bento = Annotated[
    str | None, typer.Option("--bento", help="Tag to deploy instead of the one in the file.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the file, send nothing.")]


@app.callback()
def deploy() -> None:
    """Where the Bento runs."""


@app.command()
def bentocloud(file: File, *, bento: Bento = None, dry_run: DryRun = False) -> None:
    """Create or change a BentoCloud deployment, as `bentoml deployment apply -f` but strictly.

    It goes to where `bentoml cloud login` went, or to BENTO_CLOUD_API_ENDPOINT with
    BENTO_CLOUD_API_KEY.

    Example: polysent deploy bentocloud deploy/bentocloud/cpu.yaml --bento polysent:1.2.0
    """
    from cli.bentocloud import problems  # noqa: PLC0415  (bentoml takes a second to import)

    plain = _read(file)
    if isinstance(plain, dict) and bento:
        plain["bento"] = bento
    if found := problems(plain):
        _refuse(file, found)
    if dry_run:
        console.print_json(plain)
        return
    _apply(plain)


def _read(file: Path) -> Any:  # noqa: ANN401  (whatever YAML holds)
    try:
        return yaml.safe_load(file.read_bytes())
    except (OSError, ValueError, yaml.YAMLError) as error:
        _refuse(file, [str(error)])


def _refuse(file: Path, found: list[str]) -> NoReturn:
    console.err.print(f"[bold red]{escape(str(file))}[/]: nothing was sent", highlight=False)
    for problem in found:
        console.err.print(f"  - {escape(problem)}", highlight=False)
    raise typer.Exit(console.MISUSED)


def _apply(plain: dict[str, Any]) -> None:
    import bentoml  # noqa: PLC0415
    import httpx  # noqa: PLC0415
    from bentoml.exceptions import BentoMLException  # noqa: PLC0415

    try:
        deployment = bentoml.deployment.apply(config_dict=plain)
    except (BentoMLException, httpx.HTTPError) as error:
        console.err.print(f"[bold red]BentoCloud[/]: {escape(str(error))}", highlight=False)
        raise typer.Exit(console.REFUSED) from error
    console.out.print(f"[green]deployed[/] {deployment.name}: {deployment.admin_console}")
