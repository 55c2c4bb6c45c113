"""`polysent keys`: who may ask the service, for what, and how often."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich import box
from rich.markup import escape
from rich.table import Table

from cli import console
from cli.options import Json
from models import keys
from models.keys import Key, Keys, Scope
from models.store import Store

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whose key it is: letters, digits, `.`, `_`, `@`, `-`.")]


@app.command()
def add(
    name: Name,
    *,
    scope: Annotated[
        Scope, typer.Option(help="`admin` may also pin, unpin and evict.")
    ] = Scope.PREDICT,
    rate: Annotated[
        float | None, typer.Option(help="Texts a second in the long run; default: no limit.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a key, and print it: this once, for its hash alone is kept.

    Example: polysent keys add shop --rate 50
    """
    with _spoken_errors():
        entry, key = Key.new(name, scope, rate)
        path = _change(lambda all_keys: all_keys.with_(entry))
    if json:
        console.print_json({"key": key, **_shown(entry)})
        return
    typer.echo(key)
    console.err.print(f"This is the only time it is shown. Its hash is in {escape(str(path))}.")


@app.command("list")
def list_keys(*, json: Json = False) -> None:
    """List whose keys there are; no key can be shown again.

    Example: polysent keys list --json
    """
    with _spoken_errors():
        path = _path()
        found = Keys.read(path).keys if path.exists() else ()
    if json:
        console.print_json([_shown(key) for key in found])
        return
    table = Table("name", "scope", "texts a second", "made", box=box.SIMPLE_HEAD, pad_edge=False)
    for key in found:
        rate = "no limit" if key.rate is None else f"{key.rate:g}"
        table.add_row(key.name, key.scope, rate, f"{key.made:%Y-%m-%d}")
    console.out.print(table)


@app.command()
def remove(name: Name) -> None:
    """End a key; a running service takes it no longer within a second.

    Where no key is left, nobody is answered until the file is removed. Example: polysent keys
    remove shop
    """
    with _spoken_errors():
        _change(lambda all_keys: all_keys.without(name))


def _shown(key: Key) -> dict[str, object]:
    return key.model_dump(mode="json", exclude={"sha256"})


def _path() -> Path:
    return keys.keys_file(console.settings(), Store.default())


def _change(how: Callable[[Keys], Keys]) -> Path:
    path = _path()
    keys.change(path, how)
    return path


@contextmanager
def _spoken_errors() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        _refuse(
            "; ".join(f"{_place(wrong['loc'])}: {wrong['msg']}" for wrong in error.errors()), error
        )
    except (OSError, ValueError) as error:
        _refuse(str(error), error)


def _place(steps: Sequence[int | str]) -> str:
    return str(steps[-1]) if steps else "the file"


def _refuse(why: str, error: Exception) -> None:
    console.err.print(f"[bold red]Nothing was changed[/]: {escape(why)}", highlight=False)
    raise typer.Exit(console.REFUSED) from error
