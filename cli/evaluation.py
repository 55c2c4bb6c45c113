"""`polysent eval`: the held-out table."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track
from rich.table import Table

from cli import console
from models.errors import NothingServed
from models.routes import Routes
from models.settings import Settings
from models.store import Store

if TYPE_CHECKING:
    from models.labels import Scores
    from training.evaluate import Report
    from training.figures import Difference, Figures

    Predict = Callable[[Sequence[str]], Sequence[Scores]]


def evaluate(
    languages: Annotated[
        list[str] | None, typer.Argument(help="Languages; all that have labelled rows if none.")
    ] = None,
    *,
    fp32: Annotated[
        bool, typer.Option("--fp32", help="Also run the demo checkpoints, beside any champion.")
    ] = False,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Most rows of a language; all if left out.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the champions in the store on held-out rows, beside baselines.

    Fetches the packages that carry the rows. `gain` is the accuracy of a language's own model minus
    that of the shared one on the same rows, paired, with its standard error. `--fp32` takes the
    checkpoints of the demo fleet: the export's gain means something for its own models only, not
    where you promoted another one.
    """
    from training import evaluate as held_out  # noqa: PLC0415  (needs the extra `train`)

    with console.spoken_errors():
        settings = console.settings()
        champion = _champions(settings, Store.default())
        models = held_out.Models(
            champion(held_out.SHARED), champion, _checkpoints(settings.home) if fp32 else None
        )
        wanted = languages or held_out.measurable()
        measured = held_out.evaluate(wanted, settings.home, models, rows)
        reports = list(track(measured, "held-out rows", len(wanted), console=console.err))
    if json:
        console.print_json([asdict(report) for report in reports])
    else:
        console.out.print(table(reports))


def table(reports: "Sequence[Report]") -> Table:
    """Lay the reports out; each cell is accuracy and macro-F1."""
    drawn = Table(title="Held-out rows: accuracy / macro-F1")
    for column in ("language", "rows", "majority", "lexicon", "shared", "own", "gain ± SE"):
        drawn.add_column(column, justify="right")
    with_reference = any(report.reference for report in reports)
    if with_reference:
        drawn.add_column("own, fp32", justify="right")
        drawn.add_column("export gain ± SE", justify="right")
    for report in reports:
        cells = [
            *(report.language, str(report.n)),
            *map(_figures, (report.majority, report.lexicon, report.shared, report.own)),
            _difference(report.gain),
        ]
        if with_reference:
            cells += [_figures(report.reference), _difference(report.export_gain)]
        drawn.add_row(*cells)
    return drawn


def _figures(figures: "Figures | None") -> str:
    return "-" if figures is None else f"{figures.accuracy:.3f} / {figures.macro_f1:.3f}"


def _difference(difference: "Difference | None") -> str:
    return (
        "-" if difference is None else f"{difference.mean:+.3f} ± {difference.standard_error:.3f}"
    )


def _champions(settings: Settings, store: Store) -> "Callable[[str], Predict]":
    from models.artifact import open_artifact  # noqa: PLC0415  (heavy)
    from models.tokens import Tokenizers  # noqa: PLC0415  (heavy)

    routes = Routes.read(store.routes).languages
    tokenizers = Tokenizers()

    def open_champion(language: str) -> "Predict":
        if language not in routes:
            message = f"no champion of {language} in {store.home}; `polysent up` builds the fleet"
            raise NothingServed(message)
        return open_artifact(store.path(routes[language].champion), tokenizers, settings.threads)

    return open_champion


def _checkpoints(home: Path) -> "Callable[[str], Predict]":
    from registry.checkpoints.checkpoint import inspect  # noqa: PLC0415
    from registry.gate.reference import Reference  # noqa: PLC0415  (torch)

    def open_checkpoint(language: str) -> "Predict":
        return Reference(inspect(home / "checkpoints" / language))

    return open_checkpoint
