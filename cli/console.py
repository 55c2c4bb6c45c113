"""How the command speaks: results on stdout, everything else on stderr."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from models.errors import PolysentError, Refused
from models.settings import Settings, read_settings

out = Console()
err = Console(stderr=True)

REFUSED = 1
"""Exit code: it was tried and it failed, or was refused; the reasons are on stderr."""
MISUSED = 2
"""Exit code: the command or a setting is wrong; nothing was tried."""
INTERRUPTED = 130
"""Exit code: Ctrl-C."""


@contextmanager
def spoken_errors() -> Iterator[None]:
    """Turn our errors into sentences and exit codes."""
    try:
        yield
    except Refused as error:
        err.print(f"[bold red]{escape(error.title)}[/]")
        for reason in error.reasons:
            err.print(f"  - {escape(reason)}", highlight=False)
        raise typer.Exit(REFUSED) from error
    except PolysentError as error:
        err.print(f"[bold red]{escape(error.title)}[/]: {escape(str(error))}", highlight=False)
        raise typer.Exit(REFUSED) from error
    except KeyboardInterrupt:
        err.print("interrupted; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None


def settings() -> Settings:
    """Return the settings; a wrong one ends the command with exit code 2."""
    try:
        return read_settings()
    except ValidationError as error:
        for wrong in error.errors():
            name = "POLYSENT_" + "_".join(map(str, wrong["loc"])).upper()
            err.print(f"[bold red]{name}[/]: {escape(wrong['msg'])}", highlight=False)
    except ValueError as error:
        err.print(f"[bold red]Settings[/]: {escape(str(error))}", highlight=False)
    raise typer.Exit(MISUSED)


def print_json(value: Any) -> None:  # noqa: ANN401  (whatever json takes)
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
