"""`polysent registry register --from`: a whole fleet, whatever happens to one of it."""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from cli import candidates, console, mlflow
from cli.progress import Bar, bar
from models.errors import PolysentError
from registry.entry import Entry
from registry.progress import Say
from registry.source import Registered

Make = Callable[[Entry, Say], Registered]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry: `registered`, `there already`, or `failed` and why."""

    language: str
    state: str
    model: str = ""
    reason: str = ""


def register(path: Path, terms: candidates.Terms, *, json: bool) -> None:
    """Register every entry of a file; exit code 2 where the file is wrong, 1 where one failed."""
    from registry.register import register as run  # noqa: PLC0415  (heavy)

    entries = _entries(path)
    with console.spoken_errors():
        settings = console.settings()
        registry = mlflow.registry(settings)

        def make(entry: Entry, say: Say) -> Registered:
            candidate = candidates.candidate(entry, settings, terms)
            return run(candidate, registry, settings.home / "exports", say)

        with bar(len(entries)) as shown:
            outcomes = list(registered(entries, make, shown))
    if json:
        console.print_json([asdict(outcome) for outcome in outcomes])
    else:
        _print(outcomes)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(console.REFUSED)


def registered(entries: Iterable[Entry], make: Make, shown: Bar) -> Iterable[Outcome]:
    """Yield what became of each entry; one that fails ends no other."""
    for entry in entries:
        shown.name = entry.language
        yield _outcome(entry, make, shown.say)
        shown.advance()


def _outcome(entry: Entry, make: Make, say: Say) -> Outcome:
    try:
        done = make(entry, say)
    except PolysentError as error:
        return Outcome(entry.language, "failed", reason=str(error))
    except Exception as error:  # noqa: BLE001  (one model must not end the others)
        console.err.print(escape(traceback.format_exc()), highlight=False)
        return Outcome(entry.language, "failed", reason=f"{type(error).__name__}: {error}")
    return Outcome(entry.language, "registered" if done.new else "there already", str(done.model))


def _entries(path: Path) -> tuple[Entry, ...]:
    from registry.manifest_csv import read  # noqa: PLC0415

    try:
        entries, problems = read(path)
    except OSError as error:
        candidates.misused(f"{path}: {error.strerror}")
    if problems:
        console.err.print(f"[bold red]{escape(str(path))}[/]: nothing was started", highlight=False)
        for problem in problems:
            console.err.print(f"  - {escape(problem)}", highlight=False)
        raise typer.Exit(console.MISUSED)
    return entries


def _print(outcomes: list[Outcome]) -> None:
    table = Table("language", "state", "what")
    for outcome in outcomes:
        what = outcome.model or outcome.reason
        table.add_row(outcome.language, outcome.state, escape(what))
    console.out.print(table)
    if new := [outcome for outcome in outcomes if outcome.state == "registered"]:
        console.out.print(f"{len(new)} new; `polysent registry promote LANGUAGE` lets one serve")
