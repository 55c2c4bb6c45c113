from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.identity import ModelId, Tag
from models.routes import Route, Routes
from registry.syncing.journal import Journal, Move
from registry.syncing.moves import ALIAS as SAID
from registry.syncing.moves import AT, BY, changes, tell
from tests.fakes_registry import FakeRegistry

ONE, TWO = (Tag(ModelId("de", version), "a" * 8) for version in (1, 2))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return an empty journal."""
    return Journal(tmp_path / "polysent" / "journal.jsonl")


def move(after: int, before: int = 0) -> Move:
    """Return a move of a champion."""
    return Move(at=1.5, language="de", alias="champion", before=before, after=after)


def test_moves_are_kept_in_their_order(journal: Journal) -> None:
    """Appended, read back, and told apart by language."""
    moves = [move(1), Move(2.0, "nl", "challenger", 0, 3, "me", "ab", 0.1), move(2, before=1)]
    for each in moves:
        journal.append(each)

    assert list(journal.moves()) == moves
    assert list(journal.moves("nl")) == moves[1:2]


def test_a_line_torn_by_a_kill_is_left_out(journal: Journal) -> None:
    """What was written before and is written after it is whole."""
    journal.append(move(1))
    with journal.path.open("ab") as file:
        file.write(b'{"at": 2.0, "lang')
    journal.append(move(2, before=1))

    assert [each.after for each in journal.moves()] == [1, 2]


def test_only_what_the_journal_does_not_know_has_changed(journal: Journal) -> None:
    """A sync that was killed between the routes and the journal is made up for by the next."""
    routes = Routes(languages={"de": Route(champion=ONE, challenger=TWO, share=0.1)})
    found = changes(journal, routes)
    for change in found:
        journal.append(tell(FakeRegistry(), change, routes, lambda _: None))

    assert [(change.alias, change.before, change.after) for change in found] == [
        ("champion", 0, ONE),
        ("challenger", 0, TWO),
    ]
    assert changes(journal, routes) == []


def test_a_share_that_changes_is_a_move_of_its_own(journal: Journal) -> None:
    """From 10 to 50 per cent: who, and when, matters as much as the version."""
    for share in (0.1, 0.5):
        routes = Routes(languages={"de": Route(champion=ONE, challenger=TWO, share=share)})
        for change in changes(journal, routes):
            journal.append(tell(FakeRegistry(), change, routes, lambda _: None))

    assert [each.share for each in journal.moves("de") if each.alias == "challenger"] == [0.1, 0.5]


def test_a_language_that_loses_its_route_moves_to_none(journal: Journal) -> None:
    """And its version is told."""
    journal.append(move(1))
    registry = FakeRegistry()
    (change,) = changes(journal, Routes())

    told = tell(registry, change, Routes(), lambda _: None)

    assert (told.before, told.after) == (1, 0)
    assert registry.reports == [(ModelId("de", 1), "replaced", "")]


def test_who_said_so_on_the_version_is_kept(journal: Journal, tmp_path: Path) -> None:
    """A command says who; MLflow's page does not, and then nobody is named."""
    registry = FakeRegistry(folders={ONE.model: tmp_path, TWO.model: tmp_path})
    now = datetime.now(UTC).isoformat()
    registry.note(ONE.model, {BY: "kim@laptop", SAID: "champion", AT: now})
    registry.note(TWO.model, {BY: "kim@laptop", SAID: "challenger", AT: now})

    def who(tag: Tag) -> str:
        routes = Routes(languages={"de": Route(champion=tag)})
        (change,) = changes(journal, routes)
        return tell(registry, change, routes, lambda _: None).who

    assert [who(ONE), who(TWO)] == ["kim@laptop", ""]


def test_a_registry_that_is_away_does_not_keep_a_move_from_the_journal(journal: Journal) -> None:
    """It is told nothing; the journal knows."""
    registry = FakeRegistry(away=True)
    routes = Routes(languages={"de": Route(champion=ONE)})
    said: list[str] = []
    (change,) = changes(journal, routes)

    told = tell(registry, change, routes, said.append)

    assert told.after == 1
    assert "was not tagged" in said[0]


def test_who_promoted_it_last_time_is_not_named_for_this_time(
    journal: Journal, tmp_path: Path
) -> None:
    """A command moved it last week, the page moved it today."""
    registry = FakeRegistry(folders={ONE.model: tmp_path})
    week_ago = (datetime.now(UTC) - timedelta(days=7)).isoformat()
    registry.note(ONE.model, {BY: "kim@laptop", SAID: "champion", AT: week_ago})
    journal.append(Move(datetime.now(UTC).timestamp(), "de", "champion", 1, 2))
    routes = Routes(languages={"de": Route(champion=ONE)})
    (change,) = changes(journal, routes)

    assert tell(registry, change, routes, lambda _: None).who == ""


def test_who_ends_a_canary_says_so_on_the_challenger(journal: Journal, tmp_path: Path) -> None:
    """There is no version afterwards to say it on."""
    registry = FakeRegistry(folders={ONE.model: tmp_path, TWO.model: tmp_path})
    journal.append(Move(1.0, "de", "challenger", 0, 2, share=0.1))
    journal.append(move(1))
    now = datetime.now(UTC).isoformat()
    registry.note(TWO.model, {BY: "kim@laptop", SAID: "none", AT: now})
    routes = Routes(languages={"de": Route(champion=ONE)})
    (change,) = changes(journal, routes)

    assert tell(registry, change, routes, lambda _: None).who == "kim@laptop"
