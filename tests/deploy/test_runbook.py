import re
import shlex
from pathlib import Path

import click
import pytest
import typer.main

from cli.main import app
from models.settings import ENV_PREFIX, Settings
from tests.deploy.test_alerts import ALERTS, rules

PAGE = Path(__file__).parents[2] / "docs" / "runbook.md"
TEXT = PAGE.read_text("utf-8")
SECTIONS = dict(
    section.split("\n", 1) for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
)


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    """In the order of the rules, so that neither is forgotten."""
    assert list(SECTIONS) == ALERTS


def test_every_alert_leads_to_its_section() -> None:
    """By the anchor that a heading gets on a page."""
    for rule in rules():
        if "alert" in rule:
            assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


@pytest.mark.parametrize("alert", SECTIONS)
def test_a_section_says_what_it_means_where_to_look_and_what_to_do(alert: str) -> None:
    """In this order, each begun in bold; and how urgent it is, as the rule has it."""
    (severity,) = {r["labels"]["severity"] for r in rules() if r.get("alert") == alert}

    assert re.findall(r"^\*\*(\w+)\*\*", SECTIONS[alert], re.MULTILINE) == ["Means", "Look", "Do"]
    assert f"**Means** (`{severity}`)" in SECTIONS[alert]


def commands() -> set[str]:
    """Return the commands that the page says to run."""
    lines = re.findall(r"^(polysent [^#\n]*)", TEXT, re.MULTILINE)
    return {command.strip() for command in lines + re.findall(r"`(polysent [^`]+)`", TEXT)}


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_is_one(command: str) -> None:
    """The page is read when nobody has time to look up how it was spelled."""
    _, *words = shlex.split(command)
    found = typer.main.get_command(app)
    while isinstance(found, click.Group):
        found = found.commands[words.pop(0)]
    with found.make_context(command, words, resilient_parsing=False):
        pass


def test_every_setting_is_one() -> None:
    """A misspelt one is refused by the service, at night."""
    named = set(re.findall(rf"{ENV_PREFIX}[A-Z_]+", TEXT))

    assert named <= {ENV_PREFIX + name.upper() for name in Settings.model_fields}
