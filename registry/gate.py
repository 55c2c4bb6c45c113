"""May this export be served? Measured here, decided apart from it."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from models.labels import Label, Scores, best
from models.manifest import Gate

Answer = Callable[[Sequence[str]], Sequence[Scores]]
"""Row i answers text i."""
DIGITS = 6
"""Decimals of the figures in the manifest: the last bits differ from machine to machine."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Held-out texts to compare on, and rows whose label is known."""

    texts: tuple[str, ...]
    source: str
    """Where the texts come from, for people."""
    labelled: tuple[tuple[str, Label], ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 over texts and labelled rows, in their order."""
        return hashlib.sha256(json.dumps([self.texts, self.labelled]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that an export must do."""

    agreement: float = 0.98
    """Share of texts with the same label as fp32; one text may always differ."""
    texts: int = 200
    accuracy_loss: float = 0.01
    """Most accuracy that may be lost on labelled rows."""


FLOOR = Floor()


def measure(artifact: Answer, reference: Answer, evidence: Evidence) -> Gate:
    """Compare an export with its fp32 reference; decides nothing.

    ValueError where one of them does not answer row for row.
    """
    pairs = list(zip(artifact(evidence.texts), reference(evidence.texts), strict=True))
    same = [_same(ours, theirs) for ours, theirs in pairs]
    changes = [abs(ours["positive"] - theirs["positive"]) for ours, theirs in pairs]
    return Gate(
        texts=len(pairs),
        texts_source=evidence.source,
        agreement=_mean(same),
        mean_score_change=_mean(changes),
        labelled=len(evidence.labelled),
        accuracy_fp32=_accuracy(reference, evidence),
        accuracy=_accuracy(artifact, evidence),
        data_digest=evidence.digest,
    )


def reasons(measured: Gate, floor: Floor = FLOOR) -> tuple[str, ...]:
    """Return every reason not to serve what was measured; empty lets it through."""
    found = []
    if measured.texts < floor.texts:
        found.append(f"compared on {measured.texts} texts, {floor.texts} are needed")
    if not math.isfinite(measured.mean_score_change):
        found.append("some scores are no finite numbers")
    differ = round((1 - measured.agreement) * measured.texts)
    if differ > 1 and measured.agreement < floor.agreement:
        found.append(
            f"agrees with fp32 on {measured.agreement:.2%} of {measured.texts} texts, "
            f"{floor.agreement:.0%} are needed"
        )
    return (*found, *_accuracy_reasons(measured, floor))


def _accuracy_reasons(measured: Gate, floor: Floor) -> list[str]:
    if measured.accuracy is None or measured.accuracy_fp32 is None:
        return []
    lost = measured.accuracy_fp32 - measured.accuracy
    if lost <= floor.accuracy_loss + 10.0**-DIGITS:
        return []
    rows = f"{measured.labelled} labelled rows, {floor.accuracy_loss:.0%} may be lost"
    return [
        f"accuracy falls from {measured.accuracy_fp32:.1%} to {measured.accuracy:.1%} on {rows}"
    ]


def _same(ours: Scores, theirs: Scores) -> bool:
    finite = all(map(math.isfinite, ours.values()))
    return finite and best(ours) == best(theirs)


def _accuracy(answer: Answer, evidence: Evidence) -> float | None:
    if not evidence.labelled:
        return None
    rows = answer([text for text, _ in evidence.labelled])
    labels = [label for _, label in evidence.labelled]
    return _mean([best(row) == label for row, label in zip(rows, labels, strict=True)])


def _mean(values: Sequence[float]) -> float:
    return round(fmean(values), DIGITS) if values else 0.0
