import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import mlflow
from cli.main import app
from models.identity import ModelId
from models.settings import Settings
from models.store import Store
from registry.mlflow.text import DIGEST
from registry.promote import promote
from registry.source import Registry
from registry.syncing.journal import Journal, Move
from registry.syncing.listener import Calls, listening
from tests.fakes_registry import FakeRegistry
from tests.wire.conftest import free_port

RUN = CliRunner()
SECRET = "s" * 16
Polysent = Callable[..., Result]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeRegistry:
    """Return the registry that the commands use: three gated versions, the second is champion."""
    registry = FakeRegistry()
    for version in (1, 2, 3):
        registry.folders[ModelId("de", version)] = tmp_path
        registry.note(ModelId("de", version), {DIGEST: "d" * 64})
    promote(registry, "de", 2)

    def ours(_: Settings) -> Registry:
        return registry

    monkeypatch.setattr(mlflow, "registry", ours)
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    monkeypatch.setenv("POLYSENT_WEBHOOK_SECRET", SECRET)
    return registry


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the nudges that a sync hears."""
    heard: list[str] = []
    calls = Calls(SECRET, lambda: heard.append("now"), lambda: b"")
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("POLYSENT_SYNC_URL", url)
    with listening(url, calls):
        yield heard


@pytest.fixture
def polysent(registry: FakeRegistry, nudges: list[str]) -> Polysent:
    """Return `polysent registry` over that registry, beside that sync."""
    assert not nudges
    assert registry.named
    return lambda *words: RUN.invoke(app, ["registry", *words])


def said(answer: Result) -> str:
    """Return everything that was printed, on one line."""
    return " ".join((answer.stdout + answer.stderr).split())


def test_promote_moves_the_alias_and_nudges(
    polysent: Polysent, registry: FakeRegistry, nudges: list[str]
) -> None:
    """The service swaps it in at once, and not after the sync's next look."""
    answer = polysent("promote", "de")

    assert answer.exit_code == 0
    assert said(answer) == "sentiment-de:3 is champion"
    assert registry.named["de", "champion"] == ModelId("de", 3)
    assert nudges == ["now"]


def test_promote_without_a_sync_still_promotes(
    polysent: Polysent, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next look finds it; the command says so and ends well."""
    monkeypatch.setenv("POLYSENT_SYNC_URL", f"http://127.0.0.1:{free_port()}")

    answer = polysent("promote", "de", "--version", "1", "--json")

    told = {"model": "sentiment-de:1", "alias": "champion", "nudged": False}
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == told
    assert "no sync listens at" in said(answer)
    assert registry.named["de", "champion"] == ModelId("de", 1)


def test_a_mistyped_alias_is_wrong_use(polysent: Polysent, registry: FakeRegistry) -> None:
    """Exit code 2, with what may be meant; nothing moves."""
    answer = polysent("promote", "de", "--alias", "chmapion")

    assert answer.exit_code == 2
    assert "did you mean champion?" in said(answer)
    assert registry.named == {("de", "champion"): ModelId("de", 2)}


def test_a_mistyped_alias_in_mlflow_is_pointed_out(
    polysent: Polysent, registry: FakeRegistry
) -> None:
    """Whoever typed it there waits for something that never comes."""
    registry.strange["de"] = {"Champion": 3}

    answer = polysent("promote", "de", "--version", "1")

    assert answer.exit_code == 0
    assert "alias 'Champion' is none of champion, challenger; did you mean champion?" in said(
        answer
    )
    assert "version 3 and does nothing" in said(answer)


def test_a_refused_version_is_not_promoted(
    polysent: Polysent, registry: FakeRegistry, nudges: list[str]
) -> None:
    """Exit code 1, and every reason."""
    registry.note(ModelId("de", 3), {"gate.reasons": "accuracy falls; it is slow"})

    answer = polysent("promote", "de")

    assert answer.exit_code == 1
    assert "- accuracy falls - it is slow" in said(answer)
    assert registry.named == {("de", "champion"): ModelId("de", 2)}
    assert nudges == []


def test_rollback_takes_one_step_back(
    polysent: Polysent, registry: FakeRegistry, nudges: list[str], tmp_path: Path
) -> None:
    """As the journal of this store tells it."""
    journal = Journal.of(Store(tmp_path))
    for before, after in ((0, 1), (1, 2)):
        journal.append(Move(0.0, "de", "champion", before, after))

    answer = polysent("rollback", "de")

    assert answer.exit_code == 0
    assert said(answer) == "sentiment-de:1 is champion again; version 2 was"
    assert registry.named["de", "champion"] == ModelId("de", 1)
    assert nudges == ["now"]


def test_rollback_says_where_it_came_from(polysent: Polysent) -> None:
    """For a script as well."""
    answer = polysent("rollback", "de", "--to", "1", "--json")

    assert json.loads(answer.stdout) == {"model": "sentiment-de:1", "before": 2, "nudged": True}


def test_rollback_with_nothing_before_is_refused(
    polysent: Polysent, registry: FakeRegistry, nudges: list[str]
) -> None:
    """Exit code 1; the way on is named."""
    answer = polysent("rollback", "de")

    assert answer.exit_code == 1
    assert "`--to VERSION` names one" in said(answer)
    assert registry.named == {("de", "champion"): ModelId("de", 2)}
    assert nudges == []


@pytest.mark.parametrize(
    ("words", "split", "told"),
    [
        (["10%"], (0.1, False), "sentiment-de:3 answers 10% of the requests"),
        (["0.255"], (0.255, False), "sentiment-de:3 answers 25.5% of the requests"),
        (
            ["5%", "--shadow", "--version", "1"],
            (0.05, True),
            "sentiment-de:1 answers 5% of the requests and runs on a copy of the others",
        ),
        (["--shadow"], (0.0, True), "sentiment-de:3 runs on a copy of the requests"),
        (["0", "--shadow"], (0.0, True), "sentiment-de:3 runs on a copy of the requests"),
    ],
)
def test_canary_splits_the_requests(
    polysent: Polysent,
    registry: FakeRegistry,
    words: list[str],
    split: tuple[float, bool],
    told: str,
) -> None:
    """A share of the answers, a copy, or both."""
    answer = polysent("canary", "de", *words)

    assert answer.exit_code == 0
    assert said(answer) == told
    assert registry.splits["de"] == split


@pytest.mark.parametrize("words", [["0"], ["0%"], ["--off"]])
def test_canary_ends(
    polysent: Polysent, registry: FakeRegistry, nudges: list[str], words: list[str]
) -> None:
    """The champion answers everything again."""
    polysent("canary", "de", "10%")

    answer = polysent("canary", "de", *words)

    assert said(answer) == "sentiment-de: the champion answers everything"
    assert registry.named == {("de", "champion"): ModelId("de", 2)}
    assert registry.splits["de"] == (0.0, False)
    assert nudges == ["now", "now"]


def test_promoting_the_challenger_ends_the_canary(
    polysent: Polysent, registry: FakeRegistry
) -> None:
    """It has won; the next champion is not to lose a part of its requests to it."""
    polysent("canary", "de", "10%")

    answer = polysent("promote", "de", "--version", "3")

    assert "the canary has ended" in said(answer)
    assert registry.named == {("de", "champion"): ModelId("de", 3)}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["10"], "write 10% or a part below 1"),
        (["ten"], "no share such as 10% or 0.1"),
        ([], "wants a share such as 10%, --shadow, or --off"),
        (["10%", "--off"], "--off goes with neither"),
        (["--off", "--shadow"], "--off goes with neither"),
    ],
)
def test_a_wrong_share_is_wrong_use(
    polysent: Polysent, registry: FakeRegistry, words: list[str], problem: str
) -> None:
    """Exit code 2; nothing is split."""
    answer = polysent("canary", "de", *words)

    assert answer.exit_code == 2
    assert problem in said(answer)
    assert registry.splits == {}


@pytest.mark.parametrize(
    "words",
    [["promote", "de"], ["rollback", "de"], ["canary", "de", "10%"], ["lineage", "de"]],
)
def test_a_registry_that_is_away_is_said(
    polysent: Polysent, registry: FakeRegistry, words: list[str]
) -> None:
    """Exit code 1, no traceback."""
    registry.away = True

    answer = polysent(*words)

    assert answer.exit_code == 1
    assert "MLflow does not answer" in said(answer)


def test_a_language_that_is_none_is_said(polysent: Polysent) -> None:
    """Exit code 1, in the words of the service."""
    assert "'german!' is not a BCP-47" in said(polysent("promote", "german!"))
