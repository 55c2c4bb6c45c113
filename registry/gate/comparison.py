"""A version beside the champion, on the same texts and rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.certificate import Comparison, Interval
from models.labels import Label, Scores, best
from registry.gate.accuracy import hits, macro_f1, macro_f1_difference
from registry.gate.compared import DIGITS, compare, mean
from registry.gate.evidence import Evidence
from registry.gate.intervals import newcombe

SPEED_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Rival:
    """The champion of the day, as it did on the evidence; `answers[i]` is to text i."""

    version: int
    digest: str
    answers: Sequence[Scores]
    size: float
    """How many times its bytes the new version has."""
    speed: float
    """How many times as fast the new version is."""


def comparison(rival: Rival, evidence: Evidence, new: Sequence[Scores]) -> Comparison:
    """Compare a version's answers to `evidence.everything` with the champion's."""
    pairs = zip(evidence.everything, new, rival.answers, strict=True)
    same = [compare(text, "", ours, theirs).same for text, ours, theirs in pairs]
    told = Comparison(
        version=rival.version,
        digest=rival.digest,
        agreement=mean(same),
        size=round(rival.size, SPEED_DIGITS),
        speed=round(rival.speed, SPEED_DIGITS),
        labelled=len(evidence.labelled),
    )
    if not evidence.labelled:
        return told
    count, truth = len(evidence.texts), evidence.labels
    ours, theirs = ([best(row) for row in rows[count:]] for rows in (new, rival.answers))
    return told.model_copy(update=_accuracy(ours, theirs, truth) | _macro_f1(ours, theirs, truth))


def _accuracy(
    new: Sequence[Label], old: Sequence[Label], truth: Sequence[Label]
) -> dict[str, float | Interval]:
    pairs = list(zip(hits(new, truth), hits(old, truth), strict=True))
    both, first = pairs.count((True, True)), pairs.count((True, False))
    second, neither = pairs.count((False, True)), pairs.count((False, False))
    return {
        "accuracy": round((first - second) / len(pairs), DIGITS),
        "accuracy_interval": _rounded(newcombe(both, first, second, neither)),
    }


def _macro_f1(
    new: Sequence[Label], old: Sequence[Label], truth: Sequence[Label]
) -> dict[str, float | Interval]:
    return {
        "macro_f1": round(macro_f1(new, truth) - macro_f1(old, truth), DIGITS),
        "macro_f1_interval": _rounded(macro_f1_difference(new, old, truth)),
    }


def _rounded(interval: Interval) -> Interval:
    return round(interval[0], DIGITS), round(interval[1], DIGITS)
