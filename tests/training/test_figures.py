import pytest

from training.figures import figures, paired


def test_figures_of_known_answers() -> None:
    """Three of four right; F1 is 2/3 for the one label and 4/5 for the other."""
    found = figures([1, 1, 1, 0], [1, 1, 0, 0])

    assert found.accuracy == 0.75
    assert found.macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_constant_answer_has_half_an_f1() -> None:
    """Macro-F1 shows what accuracy hides."""
    assert figures([1, 1, 1, 1], [1, 1, 1, 0]).macro_f1 == pytest.approx(3 / 7)


def test_paired_difference_is_on_the_same_rows() -> None:
    """One row won of four: a quarter, give or take a quarter."""
    found = paired([1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0])

    assert found.mean == 0.25
    assert found.standard_error == pytest.approx(0.25)


def test_equal_answers_differ_by_nothing() -> None:
    """No difference has no error."""
    assert paired([1, 0], [1, 0], [1, 1]).standard_error == 0
