from models.labels import Label, Scores
from registry.gate.comparison import Rival, comparison
from registry.gate.evidence import Evidence

LABELS: tuple[Label, ...] = ("positive", "negative")
ROWS = tuple((f"row {i}", LABELS[i % 2]) for i in range(200))
EVIDENCE = Evidence(("a", "b"), "here", ROWS)


def answers(wrong: int) -> list[Scores]:
    """Return answers to the evidence, with so many wrong ones among the labelled rows."""
    right = [label == "positive" for _, label in ROWS]
    given = [truth != (i < wrong) for i, truth in enumerate(right)]
    return [_scores(positive=True)] * 2 + [_scores(positive=each) for each in given]


def _scores(*, positive: bool) -> Scores:
    return {"negative": 1.0 - positive, "positive": float(positive)}


def rival(wrong: int) -> Rival:
    """Return a champion with so many wrong answers."""
    return Rival(version=3, digest="d" * 64, answers=answers(wrong), size=0.5, speed=1.5)


def test_a_version_that_is_worse_beyond_doubt_is_seen_to_be() -> None:
    """Forty wrong answers against ten, on the same rows: the interval is under zero."""
    told = comparison(rival(10), EVIDENCE, answers(40))

    assert told.accuracy == -0.15
    assert told.accuracy_interval is not None
    assert told.accuracy_interval[0] < -0.15 < told.accuracy_interval[1] < 0
    assert told.macro_f1_interval is not None
    assert told.macro_f1_interval[1] < 0
    assert (told.version, told.size, told.speed, told.labelled) == (3, 0.5, 1.5, 200)


def test_a_few_rows_leave_doubt() -> None:
    """Two more wrong answers of 200 may be chance."""
    told = comparison(rival(10), EVIDENCE, answers(12))

    assert told.accuracy_interval is not None
    assert told.accuracy_interval[0] < 0 < told.accuracy_interval[1]


def test_without_labels_only_the_agreement_is_told() -> None:
    """Another label than the champion's is not a wrong one."""
    texts = Evidence(("a", "b"), "here")

    told = comparison(
        Rival(1, "", [_scores(positive=False)] * 2, 1.0, 1.0),
        texts,
        [_scores(positive=True), _scores(positive=False)],
    )

    assert told.agreement == 0.5
    assert told.accuracy is None
    assert told.accuracy_interval is None
