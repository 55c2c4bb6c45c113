import hashlib
import json
from pathlib import Path

import pytest

from models.certificate import Circumstances, Rung
from models.errors import ArtifactCorrupt, ManifestInvalid
from models.manifest import MODEL, NAME, WEIGHTS, Manifest
from tests.tiny import write_tiny

FIRST_FIELDS = (
    *("texts", "texts_source", "agreement", "mean_score_change", "labelled"),
    *("accuracy_fp32", "accuracy", "data_digest", "reasons"),
)


def test_artifact_as_written_is_verified(tmp_path: Path) -> None:
    """Every file is what the manifest promises."""
    write_tiny(tmp_path)

    Manifest.read(tmp_path).verify(tmp_path)


def test_manifest_is_read_back_with_the_same_digest(tmp_path: Path) -> None:
    """The digest names the manifest's content, not its file."""
    written = write_tiny(tmp_path)

    assert Manifest.read(tmp_path).digest == written.digest


def test_every_wrong_file_is_named(tmp_path: Path) -> None:
    """A flipped bit and a missing file are both found, in one go."""
    manifest = write_tiny(tmp_path)
    weights = bytearray((tmp_path / WEIGHTS).read_bytes())
    weights[0] ^= 1
    (tmp_path / WEIGHTS).write_bytes(weights)
    (tmp_path / MODEL).unlink()

    with pytest.raises(ArtifactCorrupt) as refused:
        manifest.verify(tmp_path)

    assert {reason.partition(":")[0] for reason in refused.value.reasons} == {MODEL, WEIGHTS}


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 2}', "[1]"])
def test_file_that_is_no_manifest_is_refused(tmp_path: Path, content: str) -> None:
    """A manifest of another shape or version is not guessed at."""
    (tmp_path / NAME).write_text(content)

    with pytest.raises(ManifestInvalid):
        Manifest.read(tmp_path)


def test_manifest_can_not_point_outside_its_folder(tmp_path: Path) -> None:
    """A file is a plain name."""
    text = write_tiny(tmp_path).to_bytes().decode().replace("model.bin", "../model.bin")
    (tmp_path / NAME).write_text(text)

    with pytest.raises(ManifestInvalid):
        Manifest.read(tmp_path)


def test_circumstances_are_no_part_of_the_digest(tmp_path: Path) -> None:
    """The same artifact, gated on another machine, is the same version."""
    manifest = write_tiny(tmp_path)
    assert manifest.gate is not None
    told = Circumstances(seconds=0.02, speed=1.7, rungs=(Rung(name="fp32", speed=1.0),))

    gate = manifest.gate.model_copy(update={"circumstances": told})
    timed = manifest.model_copy(update={"gate": gate})

    timed.write(tmp_path)
    assert timed.digest == manifest.digest
    assert Manifest.read(tmp_path) == timed != manifest


def test_what_the_gate_measured_is_part_of_the_digest(tmp_path: Path) -> None:
    """A certificate can not be changed under its version."""
    manifest = write_tiny(tmp_path)
    assert manifest.gate is not None

    for change in ({"agreement": 0.5}, {"macro_f1": 0.9}, {"reasons": ("no",)}):
        gate = manifest.gate.model_copy(update=change)
        assert manifest.model_copy(update={"gate": gate}).digest != manifest.digest


def test_a_manifest_of_before_is_read_and_keeps_its_digest(tmp_path: Path) -> None:
    """Stores hold models under the digest that they were registered with."""
    manifest = write_tiny(tmp_path)
    assert manifest.gate is not None
    old = manifest.model_dump(mode="json")
    old["gate"] = {name: old["gate"][name] for name in FIRST_FIELDS}
    text = json.dumps(old, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (tmp_path / NAME).write_text(text)

    assert Manifest.read(tmp_path).digest == hashlib.sha256(text.encode()).hexdigest()
