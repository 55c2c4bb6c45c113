"""Showing what is being done: moving where there is a terminal, plain lines where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from cli import console
from registry.progress import Say


def line(step: str) -> None:
    """Print a step and leave it there."""
    console.err.print(f"[dim]{escape(step)}[/]", highlight=False)


@contextmanager
def spinner() -> Iterator[Say]:
    """Show the present step and how long everything takes."""
    with _moving(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as shown:
        yield Bar(shown, total=None).say


class Bar:
    """A bar over models, with the step of the one that is under way."""

    def __init__(self, progress: Progress | None, total: int | None) -> None:
        """Start at none; without a `progress`, lines are printed."""
        self._progress = progress
        self._task = progress.add_task("", total=total) if progress else None
        self.name = ""
        """What the steps are about; stands before each."""

    def say(self, step: str) -> None:
        """Show a step."""
        shown = f"{self.name}: {step}" if self.name else step
        if self._progress is None or self._task is None:
            line(shown)
        else:
            self._progress.update(self._task, description=escape(shown), refresh=True)

    def advance(self) -> None:
        """Count one more as done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)


@contextmanager
def bar(total: int) -> Iterator[Bar]:
    """Show how many of `total` are done, and the present step."""
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with _moving(*columns, TextColumn("{task.description}")) as shown:
        yield Bar(shown, total)


@contextmanager
def _moving(*columns: ProgressColumn) -> Iterator[Progress | None]:
    if not console.err.is_terminal:
        yield None
        return
    with Progress(*columns, console=console.err, transient=True) as progress:
        yield progress
