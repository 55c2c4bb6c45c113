"""Labels of fifty models under three names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[Label, ...] = get_args(Label)
Scores = dict[Label, float]
"""Probability of each label that the model knows; they add up to 1."""

_KNOWN: dict[str, Label] = {
    "negative": "negative",
    "neg": "negative",
    "very negative": "negative",
    "1 star": "negative",
    "2 stars": "negative",
    "neutral": "neutral",
    "neu": "neutral",
    "3 stars": "neutral",
    "positive": "positive",
    "pos": "positive",
    "very positive": "positive",
    "4 stars": "positive",
    "5 stars": "positive",
}


def unify(labels: Sequence[str]) -> tuple[Label, ...]:
    """Return our name of each label of a model; ValueError names those that have none."""
    spelled = [label.strip().lower().replace("_", " ") for label in labels]
    unknown = [label for label, known in zip(labels, spelled, strict=True) if known not in _KNOWN]
    if unknown:
        message = f"labels {unknown} are none of {sorted(_KNOWN)}"
        raise ValueError(message)
    return tuple(_KNOWN[label] for label in spelled)


def scores(logits: "NDArray[np.float32]", unified: Sequence[Label]) -> list[Scores]:
    """Turn logits (rows, labels) into one Scores per row; labels of one name add up."""
    import numpy as np  # noqa: PLC0415  (heavy: BentoML's supervisor needs none)

    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    columns = {
        name: [index for index, unified_name in enumerate(unified) if unified_name == name]
        for name in LABELS
        if name in unified
    }
    return [
        {name: float(row[indices].sum()) for name, indices in columns.items()}
        for row in probabilities
    ]


def best(row: Scores) -> Label:
    """Return the label with the highest score; the first in LABELS where two are equal."""
    return max(row, key=row.__getitem__)
