"""`polysent registry canary`: a challenger beside the champion."""

from typing import Annotated

import typer

from cli import candidates, console, mlflow, options
from models.identity import registered_name
from models.languages import canonical

Share = Annotated[
    str | None,
    typer.Argument(help="Part of the requests, 10% or 0.1; 0 ends it.", show_default=False),
]
Challenger = Annotated[
    int | None, typer.Option(min=1, help="Version; the present challenger, or the newest one.")
]
Shadow = Annotated[
    bool, typer.Option("--shadow", help="Run it on a copy of the others, without answering.")
]
Off = Annotated[bool, typer.Option("--off", help="End it: the champion answers everything.")]


def canary(  # noqa: PLR0913  (each is an option of the command)
    language: options.Tagged,
    share: Share = None,
    *,
    version: Challenger = None,
    shadow: Shadow = False,
    off: Off = False,
    json: options.Json = False,
) -> None:
    """Let a challenger answer a part of the requests, the same texts always the same one.

    Example: polysent registry canary de 10%
    """
    from registry.canary import canary as run  # noqa: PLC0415
    from registry.canary import end  # noqa: PLC0415

    part = _part(share, shadow=shadow, off=off)
    model: str | None = None
    with console.spoken_errors():
        settings = console.settings()
        registry = mlflow.registry(settings)
        if part or shadow:
            model = str(run(registry, language, part, version=version, shadow=shadow))
        else:
            end(registry, language)
        nudged = mlflow.nudge(settings)
    if json:
        told = {"model": model, "share": part, "shadow": shadow, "nudged": nudged}
        console.print_json(told)
    elif model is None:
        name = registered_name(canonical(language))
        console.out.print(f"{name}: the champion answers everything", highlight=False)
    else:
        console.out.print(_said(model, part, shadow=shadow), highlight=False)


def _part(share: str | None, *, shadow: bool, off: bool) -> float:
    from registry.canary import share as parse  # noqa: PLC0415

    if off and (share or shadow):
        candidates.misused("--off goes with neither a share nor --shadow")
    if share is None and not (shadow or off):
        candidates.misused("wants a share such as 10%, --shadow, or --off")
    try:
        return parse(share) if share else 0.0
    except ValueError as error:
        candidates.misused(str(error))


def _said(model: str, part: float, *, shadow: bool) -> str:
    if not part:
        return f"{model} runs on a copy of the requests"
    answers = f"{model} answers {part * 100:.4g}% of the requests"
    return f"{answers} and runs on a copy of the others" if shadow else answers
