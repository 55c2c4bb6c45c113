import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.fleet import Builder, may_promote
from models.identity import ModelId
from models.manifest import Manifest
from models.routes import Routes
from models.settings import Settings
from models.store import Store
from registry.candidate import Candidate
from registry.card import Card
from registry.export.ladder import DEFAULT
from registry.gate.evidence import Evidence
from registry.gate.floor import Floor
from registry.progress import Say
from registry.promote import promote
from registry.source import Promoted, Registered
from registry.syncing.sync import sync
from tests.fakes_registry import FakeRegistry
from tests.registry.conftest import WORDS, write_checkpoint
from tests.tiny import write_tiny

EVIDENCE = Evidence(
    tuple(f"{one} {two} {three}" for one in WORDS for two in WORDS for three in ("good", "bad")),
    "a dozen words",
)
DEMO = Registered(ModelId("de", 2), "d" * 64, new=True)
KNOWN = Registered(ModelId("de", 1), "d" * 64, new=False)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny checkpoint that serves for every language."""
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint("bert", folder)
    return folder


@dataclass
class Home:
    """A registry, a store and a builder between them; `meanwhile` happens while it builds."""

    folder: Path
    checkpoint: Path
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The store that the builder fills."""
        return Store(self.folder / "bentoml")

    def build(self, *languages: str) -> int:
        """Build languages out of the tiny checkpoint."""
        settings = Settings(home=self.folder)
        return Builder(settings, self.registry, self.store, self._make).build(languages)

    def own(self, language: str) -> ModelId:
        """Register and promote a person's model."""
        folder = self.folder / f"own-{language}"
        self.registry.register(folder, write_tiny(folder, language))
        return promote(self.registry, language)

    def served(self) -> dict[str, str]:
        """Return language -> version."""
        routes = Routes.read(self.store.routes).languages
        return {language: str(route.champion.model) for language, route in routes.items()}

    def _make(self, language: str, _: Settings, say: Say) -> Candidate:
        say("build the checkpoint")
        self.meanwhile.get(language, lambda: None)()
        floor = Floor(agreement=0.9)
        source = str(self.checkpoint)
        return Candidate(source, Card(language), EVIDENCE, floor=floor, rungs=(DEFAULT,))


@pytest.fixture
def home(tmp_path: Path, checkpoint: Path) -> Home:
    """Return an empty home."""
    return Home(tmp_path, checkpoint)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    """Return the last event of each language."""
    events = map(json.loads, capsys.readouterr().out.splitlines())
    return {event["language"]: (event["state"], event["step"]) for event in events}


def test_languages_without_a_champion_are_built(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """From checkpoint to route; one that has a champion is only brought."""
    home.own("nl")

    assert home.build("de", "nl") == 0

    assert home.served() == {"de": "sentiment-de:1", "nl": "sentiment-nl:1"}
    assert told(capsys) == {"de": ("served", "sentiment-de:1"), "nl": ("served", "")}


def test_a_language_that_fails_ends_no_other(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it failed with is its last event; the traceback is in the log."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    home.meanwhile["de"] = full

    assert home.build("de", "nl") == 1

    assert home.served() == {"nl": "sentiment-nl:1"}
    assert told(capsys)["de"] == ("failed", "[Errno 28] No space left on device")


def test_a_registry_that_is_away_fails_each_language(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """The builder ends with events, not with a traceback only."""
    home.registry.away = True

    assert home.build("de") == 1

    assert told(capsys) == {"de": ("failed", "MLflow does not answer")}


def test_routes_of_an_empty_registry_stay(home: Home) -> None:
    """After `make clean` the store still serves what it has, until each language is built anew."""
    home.build("de", "nl")
    home.registry.named.clear()
    home.registry.folders.clear()
    home.registry.digests.clear()
    home.meanwhile["de"] = lambda: promoted.append(home.served())
    promoted: list[dict[str, str]] = []

    home.build("de")

    assert promoted[0].keys() == home.served().keys() == {"de", "nl"}


def test_a_champion_whose_files_are_gone_is_registered_anew(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own lost model comes back as a new version, and is served."""
    home.build("de")
    artifact = home.registry.folders[ModelId("de", 1)]
    home.registry.folders[ModelId("de", 1)] = home.folder / "empty"
    (home.folder / "empty").mkdir()
    shutil.rmtree(home.store.home)

    assert home.build("de") == 0

    assert home.served() == {"de": "sentiment-de:2"}
    assert home.registry.digests[ModelId("de", 2)] == Manifest.read(artifact).digest
    assert told(capsys)["de"] == ("served", "sentiment-de:2")


def test_a_champion_that_can_not_be_had_is_not_called_served(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person's model is not replaced; why it is not served is said."""
    mine = home.own("de")
    home.registry.damage[mine] = lambda folder: (folder / "model.bin").unlink()

    assert home.build("de") == 1

    state, why = told(capsys)["de"]
    assert state == "failed"
    assert "model.bin" in why
    assert home.registry.named["de", "champion"] == mine


def test_what_a_person_promotes_meanwhile_stays(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """The builder takes the alias of a language only while nobody has it."""
    home.meanwhile["de"] = lambda: home.own("de")

    assert home.build("de") == 0

    assert home.served() == {"de": "sentiment-de:1"}
    assert home.registry.named["de", "champion"] == ModelId("de", 1)
    assert told(capsys)["de"] == ("served", "sentiment-de:1")
    assert sync(home.registry, home.store).failed == ()


@pytest.mark.parametrize(
    ("champion", "done", "allowed"),
    [
        (None, DEMO, True),
        (Promoted(ModelId("de", 1), "d" * 64), DEMO, True),
        (Promoted(ModelId("de", 1), "e" * 64), DEMO, False),
        (Promoted(ModelId("de", 1), None), DEMO, False),
        (Promoted(ModelId("de", 1), "d" * 64), KNOWN, False),
    ],
)
def test_the_demo_model_overrules_nobody(
    champion: Promoted | None,
    done: Registered,
    allowed: bool,  # noqa: FBT001  (a column of the table)
) -> None:
    """It takes a free alias, or the one of its own version whose files are gone."""
    assert may_promote(champion, done) is allowed
