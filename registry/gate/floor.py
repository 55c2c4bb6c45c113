"""The least that a version must do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Floor:
    """Limits of the gate; None sets none.

    Where a figure has an interval, it is under the floor only if the whole interval is.
    """

    agreement: float = 0.99
    """Share of texts with the same label as fp32; one text may always differ."""
    slice_agreement: float = 0.97
    """The same, of texts of like length or of one source."""
    texts: int = 200
    score_change: float | None = None
    """Most that the positive probability may change against fp32, in the mean."""
    p95_score_change: float | None = None
    """The same, for 95 % of the texts."""
    accuracy: float = 0.5
    macro_f1: float = 0.4
    accuracy_loss: float = 0.01
    """Most accuracy that may be lost to fp32 on labelled rows; one row may always be."""
    macro_f1_loss: float = 0.02
    calibration_loss: float = 0.05
    """Most by which the calibration error may grow over that of fp32."""
    nbytes: int | None = None
    """Most bytes of an artifact."""
    slowdown: float | None = None
    """Most times the champion's seconds a text."""


FLOOR = Floor()
BY_SCORE_ERROR = Floor(
    agreement=0.0, slice_agreement=0.0, texts=64, score_change=0.01, p95_score_change=0.03
)
"""For models of which few texts can be compared: labels say little of 64, scores do."""
