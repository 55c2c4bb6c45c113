"""Whether a version answers at all, tried before anybody can be sent to it."""

import math
from pathlib import Path

from models.artifact import Model
from models.errors import ArtifactCorrupt
from models.manifest import TOKENIZER, Manifest
from models.store import Store

TEXT = "1 2 3"
"""Tokens that a tokenizer of any language has."""


class Smoke:
    """Answers one text with each version; a tokenizer that it has read before is not read again.

    One of XLM-R takes 1.3 s and 290 MB (facts, measured), and the versions of a fleet share it.
    """

    def __init__(self, store: Store) -> None:
        """Take the store beside which the prepacked forms lie."""
        self._store = store
        self._rows: dict[str, list[int]] = {}

    def __call__(self, folder: Path) -> None:
        """Open an artifact as on a CPU; ArtifactCorrupt where no numbers come of it."""
        manifest = Manifest.read(folder)
        try:
            row = self._row(folder, manifest)
            (scores,) = self._opened(folder, manifest).scores([row])
        except Exception as error:  # each library below fails in its own way
            reason = f"it does not answer: {type(error).__name__}: {error}"
            raise ArtifactCorrupt(manifest.language, [reason]) from error
        if not all(map(math.isfinite, scores.values())):
            raise ArtifactCorrupt(manifest.language, [f"its scores are no numbers: {scores}"])

    def _row(self, folder: Path, manifest: Manifest) -> list[int]:
        from models.tokens import Tokenizer  # noqa: PLC0415  (heavy)

        digest = manifest.files[TOKENIZER].sha256
        if digest not in self._rows:
            tokenizer = Tokenizer.read(folder / TOKENIZER)
            (self._rows[digest],) = tokenizer.encode([TEXT], manifest.max_tokens)
        return self._rows[digest]

    def _opened(self, folder: Path, manifest: Manifest) -> Model:
        from models.engine import prepacked  # noqa: PLC0415  (heavy)
        from models.engine.onnx import OnnxEngine  # noqa: PLC0415

        form = prepacked.find(folder, self._store.home)
        return Model(manifest, OnnxEngine(form or folder, 1, prepacked=form is not None))
