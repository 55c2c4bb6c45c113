"""Answers of the fp32 checkpoint, taken once and kept for every rung."""

import gc
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from models.labels import LABELS, Scores
from registry.disk import replace, writing
from registry.gate.evidence import Answer


class Recorded:
    """An Answer out of a file: it knows the texts that it was asked before, and no others."""

    def __init__(self, answers: Mapping[str, Scores]) -> None:
        """Take text -> scores."""
        self._answers = answers

    def __call__(self, texts: Sequence[str]) -> list[Scores]:
        """Answer in order; KeyError for a text that was not recorded."""
        return [self._answers[text] for text in texts]


def recorded(path: Path, make: Callable[[], Answer], texts: Sequence[str]) -> Recorded:
    """Return the answers in `path`, or make them and keep them there.

    What `make` returns is given back to the memory before this returns. StoreFailed where the
    file can't be written.
    """
    known = _read(path)
    if known is None or not known.keys() >= set(texts):
        different = list(dict.fromkeys(texts))
        known = dict(zip(different, make()(different), strict=True))
        gc.collect()  # a model of gigabytes, in cycles
        with writing(path):
            replace(path, json.dumps(known).encode())
    return Recorded(known)


def _read(path: Path) -> dict[str, Scores] | None:
    """Return what was kept; None where there is nothing, or nothing whole."""
    try:
        plain = json.loads(path.read_bytes())
        return {
            str(text): {label: float(row[label]) for label in LABELS if label in row}
            for text, row in plain.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return None
