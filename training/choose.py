"""Which heads the train rows pay for: strengths and temperatures by cross-validation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.fit import Floats, Rows, calibrated_loss, fit, folds, joined, temperature

SHARED_STRENGTHS = (300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0)
OWN_STRENGTHS = (10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0)
Languages = Mapping[str, Rows]
Fold = tuple[npt.NDArray[np.bool_], Floats]
"""The mask of the rows left out, and weights (d + 1,) that have not seen them."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Calibrated weights (d + 1,), the strength of their prior, and the temperature divided out."""

    weights: Floats
    strength: float
    temperature: float


def shared_head(rows: Languages) -> Fitted:
    """Return the head for every language, from the train rows of all of them.

    Its strength is the one with which each language is best told by a head that has not seen it:
    most languages of the fleet are in that place.
    """

    def unseen_loss(strength: float) -> float:
        told = [own.features @ _shared(_without(rows, tag), strength) for tag, own in rows.items()]
        losses = map(calibrated_loss, told, (own.labels for own in rows.values()))
        return float(np.mean(list(losses)))

    strength = min(SHARED_STRENGTHS, key=unseen_loss)
    told = [_told(own, list(_prior_folds(rows, tag, strength))) for tag, own in rows.items()]
    divisor = temperature(np.concatenate(told), joined(list(rows.values())).labels)
    return Fitted(_shared(rows, strength) / divisor, strength, divisor)


def own_head(rows: Languages, tag: str, shared: Fitted) -> Fitted:
    """Return the head of one language: `shared`, moved as far as its own train rows pay for.

    In each fold the prior, too, is made without the rows that the result is measured on.
    """
    own = rows[tag]
    priors = list(_prior_folds(rows, tag, shared.strength))

    def moved(strength: float) -> list[Fold]:
        return [
            (out, fit(own.take(~out), prior / shared.temperature, strength))
            for out, prior in priors
        ]

    told = {strength: _told(own, moved(strength)) for strength in OWN_STRENGTHS}
    best = min(told, key=lambda strength: calibrated_loss(told[strength], own.labels))
    divisor = temperature(told[best], own.labels)
    return Fitted(fit(own, shared.weights, best) / divisor, best, divisor)


def _shared(rows: Languages, strength: float) -> Floats:
    everything = joined(list(rows.values()))
    return fit(everything, np.zeros(everything.features.shape[1]), strength)


def _without(rows: Languages, tag: str) -> Languages:
    return {other: part for other, part in rows.items() if other != tag}


def _prior_folds(rows: Languages, tag: str, strength: float) -> Iterator[Fold]:
    own = rows[tag]
    for out in folds(len(own.labels)):
        yield out, _shared({**rows, tag: own.take(~out)}, strength)


def _told(own: Rows, parts: list[Fold]) -> Floats:
    """Return log-odds (n,), each by the weights that have not seen its row."""
    told = np.empty(len(own.labels))
    for out, weights in parts:
        told[out] = own.features[out] @ weights
    return told
