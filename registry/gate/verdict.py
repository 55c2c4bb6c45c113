"""The gate's decision: every reason not to serve what was measured."""

import math
from collections.abc import Iterator

from models.certificate import Comparison, Slice
from models.manifest import Gate
from models.units import size
from registry.gate.compared import DIGITS
from registry.gate.floor import FLOOR, Floor
from registry.gate.intervals import wilson

TINY = 10.0**-DIGITS
"""Rounding in the manifest must not cost a model its place."""


def reasons(measured: Gate, floor: Floor = FLOOR, *, nbytes: int | None = None) -> tuple[str, ...]:
    """Return every reason not to serve what was measured; empty lets it through.

    `nbytes` is the size of the artifact, for a floor that limits it.
    """
    found = [*_evidence(measured, floor), *_agreement(measured, floor), *_scores(measured, floor)]
    found += [*_floors(measured, floor), *_losses(measured, floor), *_calibration(measured, floor)]
    found += [reason for part in measured.slices for reason in _slice(part, floor)]
    if floor.nbytes is not None and nbytes is not None and nbytes > floor.nbytes:
        found.append(f"has {size(nbytes)}, {size(floor.nbytes)} are allowed")
    champion = measured.circumstances and measured.circumstances.champion
    return (*found, *(_against(champion, floor) if champion else ()))


def _evidence(measured: Gate, floor: Floor) -> Iterator[str]:
    if measured.texts < floor.texts:
        yield f"compared on {measured.texts} texts, {floor.texts} are needed"
    if not math.isfinite(measured.mean_score_change):
        yield "some scores are no finite numbers"


def _agreement(measured: Gate, floor: Floor) -> Iterator[str]:
    if _differing(measured.agreement, measured.texts) > 1 and measured.agreement < floor.agreement:
        yield (
            f"agrees with fp32 on {measured.agreement:.2%} of {measured.texts} texts, "
            f"{floor.agreement:.0%} are needed"
        )


def _differing(agreement: float, texts: int) -> int:
    return round((1 - agreement) * texts)


def _scores(measured: Gate, floor: Floor) -> Iterator[str]:
    limits = (
        ("the mean", measured.mean_score_change, floor.score_change),
        ("95 % of the texts", measured.p95_score_change, floor.p95_score_change),
    )
    for name, change, limit in limits:
        if limit is not None and change is not None and change > limit + TINY:
            yield f"scores change by {change:.4f} against fp32 in {name}, {limit:g} is allowed"


def _floors(measured: Gate, floor: Floor) -> Iterator[str]:
    limits = (
        ("accuracy", measured.accuracy, measured.accuracy_interval, floor.accuracy),
        ("macro-F1", measured.macro_f1, measured.macro_f1_interval, floor.macro_f1),
    )
    for name, figure, interval, limit in limits:
        if figure is not None and interval is not None and interval[1] < limit:
            yield (
                f"{name} is {figure:.1%} (95 %: {interval[0]:.1%} to {interval[1]:.1%}) "
                f"on {measured.labelled} labelled rows, {limit:.0%} is needed"
            )


def _losses(measured: Gate, floor: Floor) -> Iterator[str]:
    one = 1 / max(measured.labelled, 1)
    limits = (
        ("accuracy", measured.accuracy_fp32, measured.accuracy, floor.accuracy_loss),
        ("macro-F1", measured.macro_f1_fp32, measured.macro_f1, floor.macro_f1_loss),
    )
    for name, before, after, limit in limits:
        if before is not None and after is not None and before - after > max(limit, one) + TINY:
            yield (
                f"{name} falls from {before:.1%} to {after:.1%} "
                f"on {measured.labelled} labelled rows, {limit:.0%} may be lost"
            )


def _calibration(measured: Gate, floor: Floor) -> Iterator[str]:
    before, after = measured.calibration_error_fp32, measured.calibration_error
    if before is not None and after is not None and after - before > floor.calibration_loss + TINY:
        yield f"calibration error grows from {before:.1%} to {after:.1%} against fp32"


def _slice(part: Slice, floor: Floor) -> Iterator[str]:
    """Refuse where the interval of so few texts leaves no doubt."""
    differ = _differing(part.agreement, part.texts)
    if differ > 1 and wilson(part.texts - differ, part.texts)[1] < floor.slice_agreement:
        yield (
            f"agrees with fp32 on {part.agreement:.2%} only of {part.texts} texts of {part.name!r}"
        )


def _against(champion: Comparison, floor: Floor) -> Iterator[str]:
    limits = (
        ("accuracy", champion.accuracy, champion.accuracy_interval),
        ("macro-F1", champion.macro_f1, champion.macro_f1_interval),
    )
    for name, lost, interval in limits:
        if lost is not None and interval is not None and interval[1] < 0:
            yield (
                f"{name} is {-lost:.1%} under that of version {champion.version}, the champion "
                f"(95 %: {-interval[1]:.1%} to {-interval[0]:.1%}) on {champion.labelled} rows"
            )
    if floor.slowdown is not None and champion.speed * floor.slowdown < 1:
        yield (
            f"takes {1 / champion.speed:.1f} times as long as version {champion.version}, "
            f"the champion; {floor.slowdown:g} times are allowed"
        )
