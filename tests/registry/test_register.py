import fcntl
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import CheckpointRefused, ExportFailed, GateRefused, RegistryUnavailable
from models.labels import LABELS, Label
from models.manifest import NAME, WEIGHTS, Manifest
from registry.candidate import Candidate
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export.ladder import DEFAULT
from registry.gate.evidence import Evidence
from registry.gate.floor import Floor
from registry.promote import promote
from registry.register import prepare, register
from registry.source import Registered, champions
from tests.fakes_registry import FakeRegistry
from tests.registry.conftest import WORDS, Build, write_checkpoint
from tests.tiny import write_tiny

EVIDENCE = Evidence(
    tuple(f"{one} {two} {three}" for one in WORDS for two in WORDS for three in ("good", "bad")),
    "a dozen words",
)


@pytest.fixture
def candidate(build: Build) -> Candidate:
    """Return a tiny checkpoint that passes a low floor."""
    floor = Floor(agreement=0.9)
    return Candidate(str(build("bert")), Card("de"), EVIDENCE, floor=floor, rungs=(DEFAULT,))


def test_a_checkpoint_becomes_a_version(candidate: Candidate, tmp_path: Path) -> None:
    """Inspected, exported, gated, registered; the manifest carries the verdict."""
    registry = FakeRegistry()
    said: list[str] = []

    done = register(candidate, registry, tmp_path, said.append)

    manifest = Manifest.read(registry.folders[done.model])
    assert str(done.model) == "sentiment-de:1"
    assert done.digest == manifest.digest
    assert manifest.gate is not None
    assert manifest.gate.reasons == ()
    assert manifest.gate.data_digest == EVIDENCE.digest
    assert manifest.gate.texts == len(EVIDENCE.texts) >= 200
    assert said[0] == "inspect the checkpoint"


def test_registering_twice_exports_and_measures_once(candidate: Candidate, tmp_path: Path) -> None:
    """After an interruption what is done is found; the same artifact is the same version."""
    registry = FakeRegistry()
    first = register(candidate, registry, tmp_path)
    said: list[str] = []

    again = register(candidate, registry, tmp_path, said.append)

    assert again == replace(first, new=False)
    assert said == ["inspect the checkpoint", "register sentiment-de"]


STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
ALIKE = ("negative", "negative", "neutral", "positive", "positive")
NAMELESS = tuple(f"LABEL_{i}" for i in range(3))


@pytest.mark.parametrize(
    ("names", "mapping", "unified"),
    [
        (STARS, {}, ALIKE),
        (NAMELESS, dict(zip(NAMELESS, LABELS, strict=True)), LABELS),
        (
            ("bad", "so-so", "good"),
            {"bad": "negative", "so-so": "neutral", "good": "positive"},
            LABELS,
        ),
    ],
)
def test_three_and_five_classes_are_mapped_and_the_mapping_is_stored(
    names: tuple[str, ...], mapping: dict[str, str], unified: tuple[Label, ...], tmp_path: Path
) -> None:
    """The manifest says what each logit of the model means to us, and the gate compares that."""
    write_checkpoint("bert", tmp_path / "checkpoint", dict(enumerate(names)))
    evidence = replace(EVIDENCE, labelled=tuple((text, "neutral") for text in EVIDENCE.texts[:40]))
    floor = Floor(agreement=0.9, slice_agreement=0.9, accuracy=0.0, macro_f1=0.0)
    several = Candidate(
        str(tmp_path / "checkpoint"), Card("de"), evidence, mapping, floor, rungs=("fp32",)
    )

    _, manifest = prepare(several, tmp_path / "exports")

    assert (manifest.labels, manifest.unified) == (names, unified)
    assert manifest.gate is not None
    assert manifest.gate.agreement == 1.0
    assert manifest.gate.macro_f1 == manifest.gate.macro_f1_fp32


def test_the_fastest_rung_that_passes_is_registered_with_the_report(
    candidate: Candidate, tmp_path: Path
) -> None:
    """What each rung agreed and cost is in the manifest; the others leave no files."""
    registry = FakeRegistry()
    two = replace(candidate, rungs=("int8-block128", "fp32"), floor=Floor(agreement=1.0))

    done = register(two, registry, tmp_path)

    folder = registry.folders[done.model]
    manifest = Manifest.read(folder)
    assert manifest.gate is not None
    assert manifest.gate.circumstances is not None
    assert [rung.name for rung in manifest.gate.circumstances.rungs] == list(two.ladder)
    assert manifest.precision in two.ladder
    assert [path for path in folder.parent.iterdir() if path.is_dir()] == [folder]


def test_a_version_that_is_worse_than_the_champion_is_not_registered(
    candidate: Candidate, tmp_path: Path
) -> None:
    """On labelled rows, beyond doubt; the refusal names the champion."""
    registry = FakeRegistry()
    (tmp_path / "old").mkdir()
    registry.register(tmp_path / "old", write_tiny(tmp_path / "old", "de"))
    promote(registry, "de")
    rows: tuple[tuple[str, Label], ...] = tuple(
        (f"good {word} {n}", "positive") for word in WORDS for n in range(9)
    )
    right = Evidence(EVIDENCE.texts, "a dozen words", rows)
    floor = Floor(agreement=0.0, slice_agreement=0.0, accuracy=0.0, macro_f1=0.0)

    new = replace(candidate, evidence=right, floor=floor)
    with pytest.raises(GateRefused, match="under that of version 1, the champion"):
        register(new, registry, tmp_path / "exports")

    assert len(registry.folders) == 1


def test_older_exports_of_a_language_are_pruned(candidate: Candidate, tmp_path: Path) -> None:
    """Of another card, say; what is current stays."""
    old, _ = prepare(candidate, tmp_path)

    new, _ = prepare(replace(candidate, card=Card("de", licence="MIT")), tmp_path)

    assert new.is_dir()
    assert not old.exists()


def test_a_damaged_export_is_made_again(candidate: Candidate, tmp_path: Path) -> None:
    """The work folder is trusted only as far as its hashes go."""
    folder, manifest = prepare(candidate, tmp_path)
    (folder / WEIGHTS).write_bytes(b"")

    again, remade = prepare(candidate, tmp_path)

    assert (again, remade.digest) == (folder, manifest.digest)
    remade.verify(folder)


@pytest.mark.parametrize(
    "card", ["---\nlicense: mit\n---\n", "---\nbase_model: owner/base\n---\n", "-"]
)
def test_what_the_checkpoint_says_anew_is_exported_anew(
    card: str, candidate: Candidate, tmp_path: Path
) -> None:
    """Licence, base and longest text are read from its files; an old export must not serve."""
    changed = Path(shutil.copytree(candidate.source, tmp_path / "checkpoint"))
    prepare(replace(candidate, source=str(changed)), tmp_path / "exports")
    (changed / "README.md").write_text(card)
    if card == "-":
        settings = changed / "tokenizer_config.json"
        settings.write_text(settings.read_text().replace(": 32", ": 16"))
    said = inspect(changed)

    _, manifest = prepare(replace(candidate, source=str(changed)), tmp_path / "exports")

    assert (manifest.licence, manifest.base_model) == (said.licence, said.base_model)
    assert manifest.max_tokens == said.max_tokens


def test_a_new_name_of_the_same_texts_is_noted(candidate: Candidate, tmp_path: Path) -> None:
    """Nothing is measured again, and the manifest says where the texts come from now."""
    prepare(candidate, tmp_path)
    said: list[str] = []
    renamed = replace(candidate, evidence=replace(EVIDENCE, source="elsewhere"))

    _, manifest = prepare(renamed, tmp_path, said.append)

    assert manifest.gate is not None
    assert manifest.gate.texts_source == "elsewhere"
    assert said == ["inspect the checkpoint"]


def test_an_unchanged_manifest_is_not_written_again(candidate: Candidate, tmp_path: Path) -> None:
    """Another process may be uploading it."""
    folder, _ = prepare(candidate, tmp_path)
    before = (folder / NAME).stat().st_ino

    prepare(candidate, tmp_path)

    assert (folder / NAME).stat().st_ino == before


def test_an_export_that_is_being_uploaded_is_locked(candidate: Candidate, tmp_path: Path) -> None:
    """Nobody exports or gates the language between gate and upload."""
    held: list[bool] = []

    class Watching(FakeRegistry):
        """Looks at the lock while it registers."""

        def register(self, folder: Path, manifest: Manifest) -> Registered:
            """Note whether someone has the lock."""
            with (tmp_path / "de.lock").open("a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    held.append(True)
            return super().register(folder, manifest)

    register(candidate, Watching(), tmp_path)

    assert held == [True]


def test_a_run_that_breaks_in_the_gate_is_a_failed_export(
    candidate: Candidate, tmp_path: Path
) -> None:
    """What torch or onnxruntime throw is said in a sentence, and nothing is registered."""
    registry = FakeRegistry()
    broken = replace(candidate, evidence=Evidence((None,), "no text"))  # type: ignore[arg-type]

    with pytest.raises(ExportFailed, match="could not be compared"):
        register(broken, registry, tmp_path)

    assert registry.folders == {}


def test_what_the_gate_refuses_is_not_registered(candidate: Candidate, tmp_path: Path) -> None:
    """The refusal names the reasons, and the registry has seen nothing."""
    registry = FakeRegistry()
    few = replace(candidate, evidence=Evidence(EVIDENCE.texts[:100], "too few"))

    with pytest.raises(GateRefused, match="100 texts"):
        register(few, registry, tmp_path)

    assert registry.folders == {}


def test_what_inspection_refuses_is_not_exported(candidate: Candidate, tmp_path: Path) -> None:
    """Nothing is loaded of a checkpoint that is refused."""
    with pytest.raises(CheckpointRefused):
        register(replace(candidate, labels={"LABEL_9": "neutral"}), FakeRegistry(), tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["/no/such/place", "no such place", "a/.."])
def test_a_source_that_is_nowhere_is_refused(
    source: str, candidate: Candidate, tmp_path: Path
) -> None:
    """Neither a directory nor a hub id."""
    with pytest.raises(CheckpointRefused, match="no such directory"):
        register(replace(candidate, source=source), FakeRegistry(), tmp_path)


def test_the_newest_version_is_promoted_unless_one_is_named(tmp_path: Path) -> None:
    """`promote de` takes the newest; `--version 1` takes that one."""
    registry = FakeRegistry()
    for version in (1, 2):
        folder = tmp_path / str(version)
        registry.register(folder, write_tiny(folder, "de", sure=float(version)))

    assert promote(registry, "DE").version == 2
    assert promote(registry, "de", 1).version == 1
    assert champions(registry)["de"].model.version == 1


def test_promoting_nothing_is_refused() -> None:
    """A language without versions, or a mistyped alias, is said at once."""
    with pytest.raises(RegistryUnavailable, match="no version yet"):
        promote(FakeRegistry(), "de")
    with pytest.raises(ValueError, match="champion"):
        promote(FakeRegistry(), "de", 1, "Champion")  # type: ignore[arg-type]
