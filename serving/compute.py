"""Rows to scores in the engine: a text that breaks it fails alone."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.artifact import Model
from models.errors import EngineFailed
from models.labels import Scores

Rows = Sequence[Sequence[int]]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broken:
    """What became of a row that the engine could not answer."""

    why: str

    def error(self) -> EngineFailed:
        """Return it as an error, a new one for each who asks."""
        return EngineFailed(self.why)


def computed(model: Model, rows: Rows, *, alone: bool) -> list[Scores | Broken]:
    """Return the outcome of each row; where a batch fails, its halves are run apart."""
    try:
        return _answers(model, rows, alone=alone)
    except Exception as error:  # noqa: BLE001  (whatever an engine raises)
        if len(rows) > 1:
            half = len(rows) // 2
            first = computed(model, rows[:half], alone=alone)
            return first + computed(model, rows[half:], alone=alone)
        _LOG.warning("%s failed on a text", model.manifest.language, exc_info=error)
        return [Broken(f"{type(error).__name__} in the engine")]


def _answers(model: Model, rows: Rows, *, alone: bool) -> list[Scores | Broken]:
    answers = model.scores(rows, alone=alone)
    if len(answers) != len(rows):
        message = f"{len(rows)} texts in, {len(answers)} rows out"
        raise ValueError(message)
    return [
        answer if all(map(math.isfinite, answer.values())) else Broken("not a number")
        for answer in answers
    ]
