"""What `up` shows while the fleet is being built."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from cli.events import Event


class Board:
    """One bar for the fleet, one line for what is being done; plain lines where no one looks."""

    def __init__(self, console: Console) -> None:
        """Draw on a console."""
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            Elapsed(),
            TextColumn("{task.fields[step]}", style="dim"),
            console=console,
            transient=True,
        )
        self._bar: TaskID | None = None
        self._states: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def show(self, event: Event) -> None:
        """Take in what happened to one language."""
        before = self._states.get(event.language)
        self._states[event.language] = event.state
        if event.state == "failed":
            self.say(f"[bold red]{event.language} failed[/]: {escape(event.step)}")
        elif event.state == "served" and before == "working":
            self.say(f"[green]served[/] {event.language} [dim]{escape(event.step)}[/]")
        elif event.state == "working" and not self._console.is_terminal:
            self.say(f"[dim]{event.language}: {escape(event.step)}[/]")
        self._draw(event)

    def _draw(self, event: Event) -> None:
        if self._bar is None:
            self._bar = self._progress.add_task("models", step="")
        done = sum(state in {"served", "failed"} for state in self._states.values())
        step = f"{event.language}: {event.step}" if event.state == "working" else ""
        total = len(self._states)
        self._progress.update(
            self._bar, completed=done, total=total, step=step, visible=done < total
        )
