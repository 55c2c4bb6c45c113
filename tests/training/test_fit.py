import numpy as np
import pytest

from training.choose import own_head, shared_head
from training.fit import Floats, Rows, Scale, fit, folds, temperature

RANDOM = np.random.default_rng(11)


def drawn(weights: Floats, count: int) -> Rows:
    """Return rows whose labels follow the log-odds of `weights`."""
    features = np.hstack([RANDOM.normal(size=(count, len(weights) - 1)), np.ones((count, 1))])
    odds = 1 / (1 + np.exp(-features @ weights))
    return Rows(features, (RANDOM.random(count) < odds).astype(np.float64))


def accuracy(rows: Rows, weights: Floats) -> float:
    """Return how often the sign of the log-odds is the label."""
    return float(((rows.features @ weights > 0) == rows.labels).mean())


TRUE = np.array([3.0, -2.0, 0.0, 0.0, 0.5])
OTHER = np.array([3.0, 2.0, 0.0, 0.0, -0.5])


def test_weak_prior_finds_the_weights() -> None:
    """Logistic regression, when there are rows enough."""
    assert fit(drawn(TRUE, 20_000), np.zeros(5), 1.0) == pytest.approx(TRUE, abs=0.2)


def test_strong_prior_stays_where_it_is() -> None:
    """Few rows do little harm."""
    assert fit(drawn(TRUE, 50), OTHER, 1e6) == pytest.approx(OTHER, abs=0.01)


def test_temperature_undoes_overconfidence() -> None:
    """Log-odds three times too large are divided by three."""
    rows = drawn(TRUE, 20_000)

    assert temperature(3 * rows.features @ TRUE, rows.labels) == pytest.approx(3, rel=0.1)


def test_every_row_is_left_out_once() -> None:
    """Cross-validation judges each row by weights that have not seen it."""
    assert np.stack(list(folds(13))).sum(axis=0).tolist() == [1] * 13


def test_scale_goes_back_to_raw_features() -> None:
    """Weights for standardised features and those committed give the same log-odds."""
    raw = RANDOM.normal(3.0, 2.0, size=(50, 4))
    scale = Scale.of(raw)

    weight, bias = scale.unscaled(TRUE)

    standard = scale.rows(raw, np.zeros(50, np.int64)).features @ TRUE
    assert raw @ weight + bias == pytest.approx(standard)


def test_language_unlike_the_others_gets_a_head_that_fits_it() -> None:
    """With rows enough it moves away from the shared head, and is better for it."""
    rows = {"a": drawn(TRUE, 600), "b": drawn(TRUE, 600), "c": drawn(OTHER, 600)}
    shared = shared_head(rows)

    own = own_head(rows, "c", shared)

    fresh = drawn(OTHER, 2_000)
    assert accuracy(fresh, own.weights) > accuracy(fresh, shared.weights) + 0.05


def test_language_with_few_rows_stays_near_the_shared_head() -> None:
    """Its own head is no worse where the languages are alike."""
    rows = {"a": drawn(TRUE, 600), "b": drawn(TRUE, 600), "c": drawn(TRUE, 40)}
    shared = shared_head(rows)

    own = own_head(rows, "c", shared)

    fresh = drawn(TRUE, 4_000)
    assert accuracy(fresh, own.weights) > accuracy(fresh, shared.weights) - 0.02
