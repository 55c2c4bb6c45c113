"""`polysent`: the table of contents of the command."""

from typing import Annotated

import typer

from cli import console, deploy, evaluation, keys, registry
from cli import models as models_commands

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Sentiment in fifty languages from one service. Exit codes: 0 done, 1 refused or failed, "
    "2 wrong use or setting, 130 interrupted (docs/cli.md).",
)
app.add_typer(models_commands.app, name="models", help="What the running service serves.")
app.add_typer(registry.app, name="registry", help="The path of a model into the service.")
app.add_typer(keys.app, name="keys", help="Who may ask the service.")
app.add_typer(deploy.app, name="deploy", help="Where the service runs.")
app.command("eval")(evaluation.evaluate)


@app.command()
def up(
    *,
    build: Annotated[
        bool, typer.Option(help="Build and register what is missing of the demo fleet.")
    ] = True,
) -> None:
    """Start MLflow and the service, build the demo fleet where it is missing, stop on Ctrl-C."""
    from cli.up import up as run  # noqa: PLC0415  (each command imports what it alone needs)

    with console.spoken_errors():
        run(console.settings(), build=build)


def main() -> None:
    """Run the command."""
    app()
