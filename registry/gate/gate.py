"""May this export be served? Measured here; verdict.py decides, evidence and floor are values."""

from collections.abc import Sequence
from itertools import repeat

from models.certificate import Interval
from models.labels import Scores, best
from models.manifest import Gate
from registry.gate.accuracy import macro_f1, macro_f1_interval
from registry.gate.calibration import calibration_error
from registry.gate.compared import (
    DIGITS,
    Compared,
    accuracy,
    agreement,
    compare,
    mean_change,
    p95_change,
)
from registry.gate.evidence import Answer, Evidence
from registry.gate.intervals import wilson
from registry.gate.slices import slices

Figure = float | Interval | None


def measure(artifact: Answer, reference: Answer, evidence: Evidence) -> Gate:
    """Compare an export with its fp32 reference; decides nothing.

    ValueError where one of them does not answer row for row.
    """
    return certificate(evidence, evidence.ask(artifact), evidence.ask(reference))


def certificate(evidence: Evidence, ours: Sequence[Scores], theirs: Sequence[Scores]) -> Gate:
    """Return the figures of two models' answers to `evidence.everything`, without a verdict."""
    everything = _compared(evidence, ours, theirs)
    count = len(evidence.texts)
    texts = everything[:count]
    accuracy_fp32, right = accuracy(everything)
    return Gate(
        texts=len(texts),
        texts_source=evidence.source,
        agreement=agreement(texts),
        mean_score_change=mean_change(texts),
        p95_score_change=p95_change(texts),
        labelled=len(evidence.labelled),
        accuracy_fp32=accuracy_fp32,
        accuracy=right,
        data_digest=evidence.digest,
        slices=slices(list(dict(zip(evidence.everything, everything, strict=True)).values())),
    ).model_copy(update=_labelled(evidence, ours[count:], theirs[count:]))


def _compared(
    evidence: Evidence, ours: Sequence[Scores], theirs: Sequence[Scores]
) -> list[Compared]:
    texts = evidence.everything
    origins = evidence.origins or tuple(repeat(evidence.source, len(texts)))
    labels = [*repeat(None, len(evidence.texts)), *evidence.labels]
    columns = zip(texts, origins, ours, theirs, labels, strict=True)
    return [compare(*columns_of_row) for columns_of_row in columns]


def _labelled(
    evidence: Evidence, ours: Sequence[Scores], theirs: Sequence[Scores]
) -> dict[str, Figure]:
    """Return what only rows with a label can tell."""
    if not evidence.labelled:
        return {}
    truth = evidence.labels
    chosen, chosen_fp32 = [best(row) for row in ours], [best(row) for row in theirs]
    right = sum(choice == label for choice, label in zip(chosen, truth, strict=True))
    low, high = macro_f1_interval(chosen, truth)
    return {
        "accuracy_interval": _rounded(*wilson(right, len(truth))),
        "macro_f1_fp32": round(macro_f1(chosen_fp32, truth), DIGITS),
        "macro_f1": round(macro_f1(chosen, truth), DIGITS),
        "macro_f1_interval": _rounded(low, high),
        "calibration_error_fp32": round(calibration_error(theirs, truth), DIGITS),
        "calibration_error": round(calibration_error(ours, truth), DIGITS),
    }


def _rounded(low: float, high: float) -> Interval:
    return round(low, DIGITS), round(high, DIGITS)
