from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli.main import app
from cli.registry import app as registry

RUN = CliRunner(env={"COLUMNS": "200"})
PAGE = Path(__file__).parent.parent.parent / "docs" / "cli.md"
COMMANDS = sorted(
    command.name or command.callback.__name__
    for command in registry.registered_commands
    if command.callback
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_step_of_the_path_has_an_example(command: str) -> None:
    """In its help, and on the page; its options are no more than what the help shows."""
    answer = RUN.invoke(app, ["registry", command, "--help"])

    assert answer.exit_code == 0
    assert f"polysent registry {command}" in " ".join(answer.stdout.split("Example")[1].split())
    assert f"\npolysent registry {command} " in PAGE.read_text("utf-8")


def test_commands_are_the_path_in_its_order() -> None:
    """`polysent registry --help` reads like a table of contents."""
    path = ["register", "export", "gate", "promote", "rollback", "canary", "sync"]

    assert list(getattr(get_command(registry), "commands", ())) == [*path, "history", "lineage"]
