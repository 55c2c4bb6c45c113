import math
from collections.abc import Sequence

import pytest

from models.certificate import Circumstances, Comparison, Slice
from models.labels import Label, Scores
from models.manifest import Gate
from registry.gate.evidence import Evidence
from registry.gate.floor import BY_SCORE_ERROR, Floor
from registry.gate.gate import measure
from registry.gate.verdict import reasons


def measured(**given: float | None) -> Gate:
    """Return a measurement that passes, but for what is given."""
    good = {"texts": 240, "agreement": 1.0, "mean_score_change": 0.004, "labelled": 0}
    return Gate.model_validate(good | given | {"texts_source": "nowhere", "data_digest": ""})


@pytest.mark.parametrize(
    ("gate", "refused"),
    [
        (measured(), False),
        (measured(agreement=0.99), False),
        (measured(agreement=1 - 2 / 240), False),
        (measured(agreement=1 - 3 / 240), True),
        (measured(texts=199), True),
        (measured(texts=200, agreement=0.99), False),
        (measured(texts=0, agreement=0.0), True),
        (measured(mean_score_change=math.nan), True),
        (measured(labelled=400, accuracy_fp32=0.9, accuracy=0.89), False),
        (measured(labelled=400, accuracy_fp32=0.9, accuracy=0.8875), True),
        (measured(labelled=400, accuracy_fp32=0.9, accuracy=0.95), False),
    ],
)
def test_floor_is_99_percent_of_200_texts_and_one_point_of_accuracy(
    gate: Gate,
    refused: bool,  # noqa: FBT001  (a column of the table)
) -> None:
    """What is under any part of the floor is refused, what is on it passes."""
    assert bool(reasons(gate)) is refused


def beside(**given: object) -> Gate:
    """Return a measurement beside a champion that is as good, but for what is given."""
    same = {"version": 3, "digest": "d", "agreement": 0.9, "size": 1.0, "speed": 1.0}
    champion = Comparison.model_validate(same | {"labelled": 400} | given)
    return measured().model_copy(update={"circumstances": Circumstances(champion=champion)})


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (beside(accuracy=-0.02, accuracy_interval=(-0.05, 0.01)), ""),
        (beside(accuracy=-0.04, accuracy_interval=(-0.06, -0.02)), "accuracy is 4.0% under"),
        (beside(macro_f1=-0.04, macro_f1_interval=(-0.06, -0.02)), "macro-F1 is 4.0% under"),
        (beside(macro_f1=0.04, macro_f1_interval=(0.02, 0.06)), ""),
        (beside(agreement=0.2, speed=0.1, size=9.0), ""),
    ],
)
def test_a_version_worse_than_the_champion_beyond_doubt_is_refused(gate: Gate, said: str) -> None:
    """Another label, more bytes or seconds are no reasons by themselves."""
    found = reasons(gate)

    assert (len(found), said in "".join(found)) == (int(bool(said)), True)


def test_limits_of_size_and_speed_hold_where_someone_sets_them() -> None:
    """Both name what is allowed."""
    floor = Floor(nbytes=2**20, slowdown=2.0)

    found = reasons(beside(speed=0.25), floor, nbytes=3 * 2**20)

    assert "has 3.0 MiB, 1.0 MiB are allowed" in found[0]
    assert "takes 4.0 times as long as version 3" in found[1]
    assert reasons(beside(speed=0.5), floor, nbytes=2**20) == ()


@pytest.mark.parametrize(
    ("accuracy", "interval", "refused"),
    [(0.48, (0.43, 0.53), False), (0.30, (0.26, 0.35), True)],
)
def test_an_accuracy_is_under_its_floor_only_with_its_whole_interval(
    accuracy: float,
    interval: tuple[float, float],
    refused: bool,  # noqa: FBT001  (a column of the table)
) -> None:
    """A few rows prove little."""
    told = {"labelled": 400, "accuracy": accuracy, "accuracy_fp32": accuracy}
    gate = measured(**told).model_copy(update={"accuracy_interval": interval})

    assert bool(reasons(gate)) is refused


def test_few_texts_can_be_judged_by_their_scores() -> None:
    """Of 64 texts a label or two say little: mean and 95 % of the changes are limited instead."""
    few = measured(texts=64, agreement=0.9, mean_score_change=0.004, p95_score_change=0.012)
    off = measured(texts=64, agreement=1.0, mean_score_change=0.02, p95_score_change=0.05)

    assert reasons(few, BY_SCORE_ERROR) == ()
    assert len(reasons(off, BY_SCORE_ERROR)) == 2


def test_a_calibration_that_the_export_spoils_is_a_reason() -> None:
    """Scores that were honest before it must stay so."""
    assert reasons(measured(calibration_error_fp32=0.08, calibration_error=0.12)) == ()
    assert len(reasons(measured(calibration_error_fp32=0.02, calibration_error=0.12))) == 1


def test_a_slice_is_refused_only_beyond_doubt() -> None:
    """Three of 80 long texts may be chance, ten are not."""

    def sliced(agreement: float) -> Gate:
        part = Slice(name="length: long", texts=80, agreement=agreement, mean_score_change=0.0)
        return measured().model_copy(update={"slices": (part,)})

    assert reasons(sliced(1 - 3 / 80)) == ()
    (reason,) = reasons(sliced(1 - 10 / 80))
    assert "length: long" in reason


def test_one_labelled_row_may_always_be_lost() -> None:
    """Of thirty rows one is three points."""
    told = {"labelled": 30, "accuracy_fp32": 0.9, "macro_f1_fp32": 0.9}

    assert reasons(measured(**told, accuracy=0.9 - 1 / 30, macro_f1=0.9 - 1 / 30)) == ()
    assert len(reasons(measured(**told, accuracy=0.9 - 2 / 30, macro_f1=0.9 - 2 / 30))) == 2


def test_every_reason_is_given_at_once() -> None:
    """Someone who mends a model wants to know all that is wrong with it."""
    bad = measured(
        texts=100,
        agreement=0.5,
        mean_score_change=math.nan,
        labelled=50,
        accuracy_fp32=1,
        accuracy=0,
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
    assert gate.accuracy_interval is not None
    assert gate.accuracy_interval[0] < 0.5 < gate.accuracy_interval[1]
    assert gate.macro_f1_fp32 == 1.0
    assert gate.p95_score_change == pytest.approx(0.2)
    assert gate.calibration_error_fp32 == pytest.approx(0.3)
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
    assert base.digest != Evidence(("a",), "here", (("b", "positive"),), ("x", "y")).digest
