import math
from collections.abc import Sequence

import pytest

from models.labels import Label, Scores
from models.manifest import Gate
from registry.gate import Evidence, measure, reasons


def measured(**given: float | None) -> Gate:
    """Return a measurement that passes, but for what is given."""
    good = {"texts": 240, "agreement": 1.0, "mean_score_change": 0.004, "labelled": 0}
    return Gate.model_validate(good | given | {"texts_source": "nowhere", "data_digest": ""})


@pytest.mark.parametrize(
    ("gate", "refused"),
    [
        (measured(), False),
        (measured(agreement=0.98), False),
        (measured(agreement=1 - 4 / 240), False),
        (measured(agreement=1 - 5 / 240), True),
        (measured(texts=199), True),
        (measured(texts=200, agreement=0.98), False),
        (measured(texts=0, agreement=0.0), True),
        (measured(mean_score_change=math.nan), True),
        (measured(labelled=400, accuracy_fp32=0.9, accuracy=0.89), False),
        (measured(labelled=400, accuracy_fp32=0.9, accuracy=0.8875), True),
        (measured(labelled=400, accuracy_fp32=0.9, accuracy=0.95), False),
    ],
)
def test_floor_is_98_percent_of_200_texts_and_one_point_of_accuracy(
    gate: Gate,
    refused: bool,  # noqa: FBT001  (a column of the table)
) -> None:
    """What is under any part of the floor is refused, what is on it passes."""
    assert bool(reasons(gate)) is refused


def test_every_reason_is_given_at_once() -> None:
    """Someone who mends a model wants to know all that is wrong with it."""
    bad = measured(
        texts=100, agreement=0.5, mean_score_change=math.nan, accuracy_fp32=1, accuracy=0
    )

    assert len(reasons(bad)) == 4


def test_one_text_may_always_differ() -> None:
    """With few texts a share would forbid any difference; too few texts is its own reason."""
    few = reasons(measured(texts=20, agreement=0.95))

    assert len(few) == 1
    assert "texts" in few[0]


class Answering:
    """A model that gives each text a score."""

    def __init__(self, **positive: float) -> None:
        """Take the positive score of each text."""
        self.positive = positive

    def __call__(self, texts: Sequence[str]) -> list[Scores]:
        """Answer in order."""
        return [{"negative": 1 - self.positive[t], "positive": self.positive[t]} for t in texts]


def test_measuring_compares_labels_scores_and_accuracy() -> None:
    """Agreement is on labels, the change on the positive score, accuracy on labelled rows."""
    rows: tuple[tuple[str, Label], ...] = (("a", "positive"), ("b", "positive"))
    evidence = Evidence(("a", "b", "c", "d"), "here", rows)

    gate = measure(
        Answering(a=0.9, b=0.4, c=0.1, d=0.1), Answering(a=0.8, b=0.6, c=0.1, d=0.1), evidence
    )

    assert gate.agreement == 0.75
    assert gate.mean_score_change == pytest.approx(0.075)
    assert (gate.accuracy_fp32, gate.accuracy, gate.labelled) == (1.0, 0.5, 2)
    assert gate.data_digest == evidence.digest
    assert gate.texts_source == "here"


def test_a_score_that_is_no_number_agrees_with_nothing() -> None:
    """A broken export must not pass for the label that happens to come first."""
    evidence = Evidence(("a",), "here")

    gate = measure(Answering(a=math.nan), Answering(a=0.1), evidence)

    assert gate.agreement == 0.0
    assert reasons(gate)


def test_a_row_too_few_is_an_error() -> None:
    """Answers are matched by place: a missing one would shift all that follow."""
    with pytest.raises(ValueError, match="argument"):
        measure(lambda _: [], Answering(a=0.5), Evidence(("a",), "here"))


def test_evidence_is_known_by_its_content() -> None:
    """Other texts, or another label, are another digest."""
    base = Evidence(("a",), "here", (("b", "positive"),))

    assert base.digest == Evidence(("a",), "elsewhere", (("b", "positive"),)).digest
    assert base.digest != Evidence(("a",), "here", (("b", "negative"),)).digest
    assert base.digest != Evidence(("b",), "here", (("b", "positive"),)).digest
