"""Tools that export tiny artifacts, for tests of what is done with exports."""

from dataclasses import dataclass, field
from pathlib import Path

from models.artifact import open_artifact
from models.errors import ExportFailed
from models.manifest import Manifest
from models.tokens import Tokenizers
from registry.candidate import Candidate
from registry.card import Card
from registry.checkpoints.checkpoint import Checkpoint
from registry.gate.evidence import Answer, Evidence
from registry.gate.floor import FLOOR, Floor
from registry.gate.trial import Trial
from registry.progress import Say, silent
from registry.work import Work
from tests.tiny import BAD, GOOD, write_tiny

LADDER = ("int8", "smooth", "fp32", "blocks")
EVIDENCE = Evidence(
    tuple(f"{one} {two} {n}" for one in GOOD + BAD for two in GOOD + BAD for n in range(6)), "words"
)
FP32 = 2.0
"""The logit of a good word in the checkpoint; an export that says another is off."""


@dataclass
class FakeTools:
    """Exports artifacts that are as good as they are told, and remembers which."""

    home: Path
    sure: dict[str, float] = field(default_factory=dict)
    broken: dict[str, Exception] = field(default_factory=dict)
    exported: list[str] = field(default_factory=list)
    loads: int = 0

    def export(  # noqa: PLR0913  (as the real one)
        self,
        checkpoint: Checkpoint,
        card: Card,
        folder: Path,
        say: Say = silent,
        *,
        rung: str = "fp32",
        plain: Path | None = None,
    ) -> Manifest:
        """Write a tiny artifact, whose weights are another for each rung."""
        del checkpoint, say
        if rung in self.broken:
            message = f"no {rung}"
            raise ExportFailed(message) from self.broken[rung]
        self.exported.append(rung)
        if plain is not None:
            plain.mkdir(parents=True, exist_ok=True)
        return write_tiny(folder, card.language, sure=self.sure.get(rung, FP32)).model_copy(
            update={"gate": None}
        )

    def refer(self, checkpoint: Checkpoint, tokens: int) -> Answer:
        """Return the checkpoint's answers."""
        del checkpoint, tokens
        self.loads += 1
        write_tiny(self.home / "checkpoint", sure=FP32)
        return open_artifact(self.home / "checkpoint", Tokenizers(), 1)

    def trial(
        self,
        evidence: Evidence = EVIDENCE,
        rungs: tuple[str, ...] = LADDER,
        floor: Floor = FLOOR,
    ) -> Trial:
        """Return an attempt in the one work folder."""
        candidate = Candidate("somewhere", Card("de"), evidence, floor=floor, rungs=rungs)
        return Trial(
            candidate,
            checkpoint(self.home),
            Work(self.home / "exports" / "de" / ("a" * 16)),
            silent,
            export=self.export,
            refer=self.refer,
        )


def checkpoint(path: Path) -> Checkpoint:
    """Return a checkpoint of which nothing is read."""
    return Checkpoint(
        path=path,
        architecture="",
        model_type="",
        labels=("negative", "positive"),
        unified=("negative", "positive"),
        max_tokens=64,
        pad_token_id=0,
        base_model="tiny",
        licence="",
        digest="",
    )
