from pathlib import Path

import pytest

from models.errors import ArtifactCorrupt, ManifestInvalid
from models.manifest import MODEL, NAME, WEIGHTS, Manifest
from tests.tiny import write_tiny


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
