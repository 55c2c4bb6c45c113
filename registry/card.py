"""What the person who registers a checkpoint knows of it."""

from dataclasses import dataclass

from models.languages import canonical
from registry.checkpoints.checkpoint import UNKNOWN, Checkpoint
from registry.export.trim import Trim


@dataclass(frozen=True, slots=True)
class Card:
    """Facts that no file of the checkpoint holds for sure.

    `language` and `covers` are made canonical (MalformedLanguage, LanguageUnknown). Empty fields
    are taken from the checkpoint; `max_tokens` may only lower what the model takes; with `trim`,
    only the pieces of its texts keep their whole word embeddings.
    """

    language: str
    covers: tuple[str, ...] = ()
    training_data_digest: str = UNKNOWN
    licence: str = ""
    base_model: str = ""
    max_tokens: int | None = None
    trim: Trim | None = None

    def __post_init__(self) -> None:
        """Bring the tags into their canonical spelling."""
        object.__setattr__(self, "language", canonical(self.language))
        object.__setattr__(self, "covers", tuple(canonical(tag) for tag in self.covers))

    def tokens(self, checkpoint: Checkpoint) -> int:
        """Return how many tokens of a text are read."""
        return min(self.max_tokens or checkpoint.max_tokens, checkpoint.max_tokens)
