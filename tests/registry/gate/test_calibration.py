import math

import pytest

from models.labels import Label, Scores
from registry.gate.calibration import calibration_error

POSITIVE: Label = "positive"
NEGATIVE: Label = "negative"


def said(positive: float) -> Scores:
    """Return the scores of one answer."""
    return {"negative": 1 - positive, "positive": positive}


def test_a_score_that_is_as_often_right_as_it_says_has_no_error() -> None:
    """0.75, right three times out of four."""
    rows = [said(0.75)] * 4

    assert calibration_error(rows, [POSITIVE] * 3 + [NEGATIVE]) == 0.0


def test_an_overconfident_model_is_off_by_what_it_claims_too_much() -> None:
    """Sure each time, right half of the time: 0.5. One bin may not make up for another."""
    assert calibration_error([said(1.0)] * 2, [POSITIVE, NEGATIVE]) == 0.5
    assert calibration_error([said(1.0), said(0.65)], [NEGATIVE, POSITIVE]) == pytest.approx(
        (1.0 + 0.35) / 2
    )


def test_a_score_that_is_no_number_is_no_confidence() -> None:
    """The gate names it as a reason of its own; here it must not raise."""
    assert math.isfinite(calibration_error([said(math.nan)], [POSITIVE]))
    assert calibration_error([], []) == 0.0
