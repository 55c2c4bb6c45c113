"""The work folder of a checkpoint: what an interruption leaves is found by the next attempt."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from models.certificate import Circumstances, Part
from models.errors import ArtifactCorrupt, ManifestInvalid
from models.manifest import NAME, Manifest
from registry.disk import replace, writing

CHOICE = "choice.json"
_DIGITS = 16


class Choice(Part):
    """Which rung was chosen, and what the others did; `question` is Candidate.question."""

    question: str
    rung: str
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class Work:
    """`exports/<language>/<key>`; what is in it can be deleted at any time."""

    folder: Path

    @property
    def plain(self) -> Path:
        """The folder of the fused fp32 graph that all rungs are made of."""
        return self.folder / "plain"

    @property
    def champion(self) -> Path:
        """Where the champion is downloaded to."""
        return self.folder / "champion"

    def rung(self, name: str) -> Path:
        """Return the folder of the artifact in one form."""
        return self.folder / name

    def answers(self, digest: str) -> Path:
        """Return the file of the fp32 answers to an evidence, by its digest."""
        return self.folder / f"fp32-{digest[:_DIGITS]}.json"

    def manifest(self, name: str) -> Manifest | None:
        """Return the manifest of a rung; None where it is not there, or not whole."""
        try:
            manifest = Manifest.read(self.rung(name))
            manifest.verify(self.rung(name))
        except (ManifestInvalid, ArtifactCorrupt):
            return None
        return manifest

    def keep(self, name: str, manifest: Manifest) -> None:
        """Write the manifest of a rung, if it changed: another process may be uploading it."""
        path = self.rung(name) / NAME
        with writing(path):
            if path.read_bytes() != manifest.to_bytes():
                replace(path, manifest.to_bytes())

    def choice(self, question: str) -> Choice | None:
        """Return what was chosen when the same was asked; None where it was not."""
        try:
            choice = Choice.model_validate_json((self.folder / CHOICE).read_bytes())
        except (OSError, ValidationError):
            return None
        return choice if choice.question == question else None

    def choose(self, choice: Choice) -> None:
        """Keep a choice, and of the rungs the chosen one only."""
        with writing(self.folder):
            replace(self.folder / CHOICE, choice.model_dump_json(indent=2).encode())
        _remove(
            path for path in self.folder.iterdir() if path.is_dir() and path.name != choice.rung
        )

    def forget_others(self) -> None:
        """Remove what older checkpoints of the language left: gigabytes that nobody asks for."""
        if self.folder.parent.is_dir():
            others = set(self.folder.parent.iterdir()) - {self.folder}
            _remove(path for path in others if len(path.name) == _DIGITS and path.is_dir())


def _remove(folders: Iterable[Path]) -> None:
    for folder in list(folders):
        shutil.rmtree(folder, ignore_errors=True)
