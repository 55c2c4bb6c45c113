"""Logistic regression with a Gaussian prior around given weights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

Floats = npt.NDArray[np.float64]
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """Features (n, d + 1), the last column all ones, and labels (n,), each 0 or 1."""

    features: Floats
    labels: Floats

    def take(self, chosen: npt.NDArray[np.bool_]) -> "Rows":
        """Return the rows where `chosen` is true."""
        return Rows(self.features[chosen], self.labels[chosen])


@dataclass(frozen=True, slots=True)
class Scale:
    """The mean and the deviation of each feature, each (d,)."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, raw: Floats) -> Self:
        """Return the scale of raw features (n, d)."""
        return cls(raw.mean(axis=0), raw.std(axis=0))

    def rows(self, raw: Floats, labels: npt.NDArray[np.int64]) -> Rows:
        """Return raw features (n, d) standardised, with their labels."""
        standard = (raw - self.mean) / self.deviation
        return Rows(np.hstack([standard, np.ones((len(raw), 1))]), labels.astype(np.float64))

    def unscaled(self, weights: Floats) -> tuple[Floats, float]:
        """Return weights (d,) and bias for raw features, from weights (d + 1,) for rows."""
        raw = weights[:-1] / self.deviation
        return raw, float(weights[-1] - raw @ self.mean)


def joined(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all parts, one after the other."""
    return Rows(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def fit(rows: Rows, centre: Floats, strength: float) -> Floats:
    """Return the weights (d + 1,) with the least log loss + strength / 2 * |weights - centre|^2.

    The loss is summed over the rows: the fewer there are, the more a strength weighs.
    """
    sign = 2 * rows.labels - 1

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = sign * (rows.features @ weights)
        away = weights - centre
        value = np.logaddexp(0, -margin).sum() + strength / 2 * away @ away
        slope = -sign * np.exp(-np.logaddexp(0, margin))
        return float(value), rows.features.T @ slope + strength * away

    found = minimize(loss, centre, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(found.x, np.float64)


def log_loss(told: Floats, labels: Floats) -> float:
    """Return the mean loss of log-odds (n,) against labels (n,)."""
    return float(np.logaddexp(0, -(2 * labels - 1) * told).mean())


def temperature(told: Floats, labels: Floats) -> float:
    """Return the divisor of log-odds (n,), 0.05 to 20, that makes their loss least."""
    found = minimize_scalar(
        lambda log: log_loss(told / np.exp(log), labels),
        bounds=(np.log(0.05), np.log(20)),
        method="bounded",
    )
    return float(np.exp(found.x))


def calibrated_loss(told: Floats, labels: Floats) -> float:
    """Return the mean loss of log-odds (n,) at their best temperature."""
    return log_loss(told / temperature(told, labels), labels)


def folds(count: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield FOLDS masks (count,); each row is in exactly one of them, in turn."""
    turn = np.arange(count) % FOLDS
    for fold in range(FOLDS):
        yield turn == fold
