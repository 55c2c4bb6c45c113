"""An artifact, opened: manifest, tokenizer and engine together."""

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
class Artifact:
    """A model that can answer."""

    manifest: Manifest
    tokenizer: Tokenizer
    engine: Engine

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, cut to what the model takes."""
        return self.tokenizer.encode(texts, self.manifest.max_tokens)

    def scores(self, rows: Sequence[Sequence[int]]) -> list[Scores]:
        """Run one batch of token ids; answer i belongs to row i."""
        logits = self.engine.run(pad(rows, self.manifest.pad_token_id))
        return scores(logits, self.manifest.unified)

    def __call__(self, texts: Sequence[str]) -> list[Scores]:
        """Answer texts offline: sorted by length, in small batches, in the order given."""
        rows = self.encode(texts)
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        answers: dict[int, Scores] = {}
        for start in range(0, len(order), ROWS_AT_ONCE):
            chosen = order[start : start + ROWS_AT_ONCE]
            answers.update(zip(chosen, self.scores([rows[index] for index in chosen]), strict=True))
        return [answers[index] for index in range(len(rows))]


def open_artifact(folder: Path, tokenizers: Tokenizers, threads: int) -> Artifact:
    """Open the artifact in a folder, on `threads` cores.

    Raises ManifestInvalid where the folder is none. The files are taken as verified.
    """
    manifest = Manifest.read(folder)
    return Artifact(manifest, tokenizers.open(folder, manifest), OnnxEngine(folder, threads))
