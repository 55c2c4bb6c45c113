"""What a model is judged on."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.labels import Label, Scores

Answer = Callable[[Sequence[str]], Sequence[Scores]]
"""Row i answers text i."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Held-out texts to compare on, and rows whose label is known."""

    texts: tuple[str, ...]
    source: str
    """Where the texts come from, for people."""
    labelled: tuple[tuple[str, Label], ...] = ()
    origins: tuple[str, ...] = ()
    """The source of each text and then of each row, where they differ; empty where not."""

    @property
    def digest(self) -> str:
        """The sha256 over texts, labelled rows and the source of each, in their order."""
        parts = [self.texts, self.labelled, *([self.origins] if self.origins else [])]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def everything(self) -> tuple[str, ...]:
        """All texts, then those of the labelled rows; a text may be among both."""
        return (*self.texts, *(text for text, _ in self.labelled))

    def ask(self, answer: Answer) -> list[Scores]:
        """Return the answers to `everything`, each text asked once.

        ValueError where not every text has one answer.
        """
        different = list(dict.fromkeys(self.everything))
        known = dict(zip(different, answer(different), strict=True))
        return [known[text] for text in self.everything]

    @property
    def labels(self) -> list[Label]:
        """The right label of each labelled row."""
        return [label for _, label in self.labelled]
