import io

import pytest
from rich.console import Console

from cli import console
from cli.progress import bar, spinner


def stderr(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> io.StringIO:
    """Return what stderr gets from now on."""
    written = io.StringIO()
    made = Console(file=written, force_terminal=terminal, width=100, color_system=None)
    monkeypatch.setattr(console, "err", made)
    return written


def test_without_a_terminal_each_step_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log keeps them all, and no control characters."""
    shown = stderr(monkeypatch, terminal=False)
    with spinner() as say:
        say("inspect [the] checkpoint")
    with bar(2) as fleet:
        fleet.name = "de"
        fleet.say("export")
        fleet.advance()

    assert shown.getvalue() == "inspect [the] checkpoint\nde: export\n"


def test_on_a_terminal_the_present_step_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how many models are done, and the time; nothing is left of it afterwards."""
    shown = stderr(monkeypatch, terminal=True)
    with bar(50) as fleet:
        fleet.name = "de"
        fleet.say("export [int8]")
        fleet.advance()
        assert "de: export [int8]" in shown.getvalue()
    with spinner() as say:
        say("compare")

    assert "1/50" in shown.getvalue()
    assert "0:00:00" in shown.getvalue()
    assert "compare" in shown.getvalue()
    assert shown.getvalue().endswith("\x1b[2K")
