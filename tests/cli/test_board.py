from io import StringIO

from rich.console import Console

from cli.board import Board
from cli.events import Event, heard


def test_event_is_heard_as_it_was_told() -> None:
    """One JSON object a line; what a library prints is no event."""
    assert heard('{"language": "de", "state": "working", "step": "export"}\n') == Event(
        "de", "working", "export"
    )
    assert heard("Downloading 3 files\n") is None
    assert heard('{"strange": 1}') is None


def test_failure_is_shown_with_its_reason() -> None:
    """Who looks at the log afterwards finds it too."""
    output = StringIO()
    with Board(Console(file=output)) as board:
        board.show(Event("de", "pending"))
        board.show(Event("de", "working", "exporting"))
        board.show(Event("de", "failed", "agrees on 0.90, needs 0.98 [of 240]"))

    assert "de failed: agrees on 0.90, needs 0.98 [of 240]" in output.getvalue()


def test_language_that_was_served_before_is_not_announced() -> None:
    """A second start is quiet."""
    output = StringIO()
    with Board(Console(file=output)) as board:
        board.show(Event("de", "pending"))
        board.show(Event("de", "served"))

    assert "served" not in output.getvalue()
