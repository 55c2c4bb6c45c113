"""`polysent registry promote` and `rollback`: which version answers."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli import candidates, console, mlflow, options
from models.store import Store

if TYPE_CHECKING:
    from registry.source import Registry

Alias = Annotated[str, typer.Option(help="`champion` or `challenger`, in lower case.")]
To = Annotated[int | None, typer.Option(min=1, help="Version; the champion before if left out.")]


def promote(
    language: options.Tagged,
    *,
    version: options.Version = None,
    alias: Alias = "champion",
    json: options.Json = False,
) -> None:
    """Give a version the alias `champion`, as one would in the MLflow UI, and nudge the sync.

    A version that passed no gate is refused. Example: polysent registry promote de --version 3
    """
    from registry.promote import eligible, misspelt  # noqa: PLC0415  (each command what it needs)
    from registry.promote import promote as run  # noqa: PLC0415
    from registry.source import ALIASES  # noqa: PLC0415

    given = next((known for known in ALIASES if known == alias), None)
    if given is None:
        candidates.misused(misspelt(alias))
    with console.spoken_errors():
        settings = console.settings()
        registry = mlflow.registry(settings)
        model = eligible(registry, language, version)
        run(registry, model.language, model.version, given)
        _tidied(registry, model.language)
        nudged = mlflow.nudge(settings)
    if json:
        console.print_json({"model": str(model), "alias": given, "nudged": nudged})
        return
    console.out.print(f"{model} is {given}", highlight=False)


def rollback(language: options.Tagged, *, to: To = None, json: options.Json = False) -> None:
    """Make the champion before this one champion again, and nudge the sync.

    Done twice, the first one is back; --to goes further. Example: polysent registry rollback de
    """
    from registry.rollback import rollback as run  # noqa: PLC0415
    from registry.syncing.journal import Journal  # noqa: PLC0415

    with console.spoken_errors():
        settings = console.settings()
        registry = mlflow.registry(settings)
        step = run(registry, Journal.of(Store.default()), language, to)
        _tidied(registry, step.after.language)
        nudged = mlflow.nudge(settings)
    if json:
        told = {"model": str(step.after), "before": step.before or None, "nudged": nudged}
        console.print_json(told)
        return
    was = f"version {step.before} was" if step.before else "there was none"
    console.out.print(f"{step.after} is champion again; {was}", highlight=False)


def _tidied(registry: "Registry", language: str) -> None:
    """End a canary that won, and name the aliases that look like ours and do nothing."""
    from registry.canary import settle  # noqa: PLC0415
    from registry.promote import misspelt  # noqa: PLC0415

    named = registry.aliases()[language]
    if settle(registry, named):
        console.err.print("it was the challenger too: the canary has ended", highlight=False)
    for alias, version in named.strange.items():
        console.err.print(
            f"[yellow]{escape(misspelt(alias))}; it names version {version} and does nothing[/]",
            highlight=False,
        )
