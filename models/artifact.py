"""An artifact, opened: what answers (manifest and engine), and what reads (the tokenizer)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.engine import Engine
from models.engine.onnx import OnnxEngine
from models.labels import Scores, scores
from models.manifest import Manifest
from models.tokens import Tokenizer, Tokenizers, pad

ROWS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can answer rows of token ids."""

    manifest: Manifest
    engine: Engine

    @property
    def nbytes(self) -> int:
        """Bytes that it holds, as measured now."""
        return self.engine.nbytes

    def scores(self, rows: Sequence[Sequence[int]], *, alone: bool = True) -> list[Scores]:
        """Run one batch of token ids, `alone` on all cores; answer i belongs to row i."""
        logits = self.engine.run(pad(rows, self.manifest.pad_token_id), alone=alone)
        return scores(logits, self.manifest.unified)

    def close(self) -> None:
        """Give the memory back; no call may follow."""
        self.engine.close()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model that can answer texts, offline."""

    model: Model
    tokenizer: Tokenizer

    def __call__(self, texts: Sequence[str]) -> list[Scores]:
        """Answer texts: sorted by length, in small batches, in the order given."""
        rows = self.tokenizer.encode(texts, self.model.manifest.max_tokens)
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        answers: dict[int, Scores] = {}
        for start in range(0, len(order), ROWS_AT_ONCE):
            chosen = order[start : start + ROWS_AT_ONCE]
            batch = self.model.scores([rows[index] for index in chosen])
            answers.update(zip(chosen, batch, strict=True))
        return [answers[index] for index in range(len(rows))]


def open_artifact(folder: Path, tokenizers: Tokenizers, threads: int) -> Artifact:
    """Open the artifact in a folder, on `threads` cores.

    Raises ManifestInvalid where the folder is none. The files are taken as verified.
    """
    manifest = Manifest.read(folder)
    model = Model(manifest, OnnxEngine(folder, threads))
    return Artifact(model, tokenizers.open(folder, manifest))
