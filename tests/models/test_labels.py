import numpy as np
import pytest

from models.labels import best, scores, unify


def test_scores_of_one_row_add_up_to_one() -> None:
    """Softmax over the model's labels, under our names."""
    [row] = scores(np.array([[1.0, 3.0]], dtype=np.float32), ("negative", "positive"))

    assert sum(row.values()) == pytest.approx(1)
    assert best(row) == "positive"


def test_labels_of_one_name_add_up() -> None:
    """Five stars become three names."""
    unified = unify(["1 star", "2 stars", "3 stars", "4 stars", "5 stars"])

    [row] = scores(np.zeros((1, 5), dtype=np.float32), unified)

    assert row == pytest.approx({"negative": 0.4, "neutral": 0.2, "positive": 0.4})


@pytest.mark.parametrize(
    "labels",
    [
        ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"],
        ["Very Negative", "Negative", "Neutral", "Positive", "Very Positive"],
        ["very_negative", "negative", "neutral", "positive", "very_positive"],
    ],
)
def test_five_classes_are_known_by_their_usual_names(labels: list[str]) -> None:
    """Two of them are negative, two positive, whatever the spelling."""
    assert unify(labels) == ("negative", "negative", "neutral", "positive", "positive")


def test_huge_logits_stay_finite() -> None:
    """No overflow, whatever a model says."""
    [row] = scores(np.array([[1e30, -1e30]], dtype=np.float32), ("negative", "positive"))

    assert row == {"negative": 1.0, "positive": 0.0}


def test_labels_that_mean_nothing_to_us_are_named() -> None:
    """A model whose labels can't be mapped is refused by name."""
    with pytest.raises(ValueError, match="LABEL_0"):
        unify(["LABEL_0", "positive"])
