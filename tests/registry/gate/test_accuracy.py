import pytest

from models.labels import Label
from registry.gate.accuracy import hits, macro_f1, macro_f1_difference, macro_f1_interval

NAMES: tuple[Label, ...] = ("positive", "negative", "neutral")
TRUTH = [NAMES[0]] * 60 + [NAMES[1]] * 30 + [NAMES[2]] * 10


def test_macro_f1_counts_each_label_alike() -> None:
    """Always the usual label: F1 of 0.75, 0 and 0, whose mean is 0.25."""
    assert macro_f1(["positive"] * 100, TRUTH) == pytest.approx(0.25)
    assert macro_f1(TRUTH, TRUTH) == 1.0


def test_a_label_that_nobody_means_is_no_part_of_the_mean() -> None:
    """A model of two classes is not punished for the third."""
    assert macro_f1(["positive", "negative"], ["positive", "negative"]) == 1.0


def test_the_interval_holds_the_figure_and_is_the_same_each_time() -> None:
    """The certificate of the same answers has the same bytes."""
    answers: list[Label] = ["negative" if i % 9 == 0 else label for i, label in enumerate(TRUTH)]

    low, high = macro_f1_interval(answers, TRUTH)

    assert low < macro_f1(answers, TRUTH) < high
    assert (low, high) == macro_f1_interval(answers, TRUTH)


def test_the_difference_is_paired() -> None:
    """Two models that answer alike differ by nothing, however wrong they are."""
    wrong: list[Label] = ["neutral" for _ in TRUTH]

    assert macro_f1_difference(wrong, wrong, TRUTH) == (0.0, 0.0)
    assert macro_f1_difference(wrong, TRUTH, TRUTH)[1] < 0


def test_a_row_too_few_is_an_error() -> None:
    """Answers are matched by place."""
    with pytest.raises(ValueError, match="argument"):
        hits(["positive"], TRUTH)
