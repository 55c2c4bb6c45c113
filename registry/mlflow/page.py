"""The gate's certificate as a page: the description of a version in the MLflow UI (Markdown)."""

from collections.abc import Iterable, Iterator, Sequence

from models.certificate import Comparison, Interval, Rung, Slice
from models.manifest import Gate, Manifest
from models.units import duration, size

LONGEST = 5000
"""Characters that MLflow takes for a description."""


def page(manifest: Manifest) -> str:
    """Return what a person wants to know before a promotion."""
    head = f"{manifest.precision}, {size(manifest.nbytes)}, labels {_labels(manifest)}"
    gate = manifest.gate
    return "\n".join([head, *(_gate(gate) if gate else ["", "It has passed no gate."])])[:LONGEST]


def _labels(manifest: Manifest) -> str:
    pairs = zip(manifest.labels, manifest.unified, strict=True)
    return ", ".join(theirs if theirs == ours else f"{theirs} -> {ours}" for theirs, ours in pairs)


def _gate(gate: Gate) -> Iterator[str]:
    yield from ("", "**Gate: " + ("; ".join(gate.reasons) or "passed") + "**", "")
    yield f"{gate.texts} texts: {gate.texts_source}; data digest `{gate.data_digest[:12]}`"
    yield from _table(("figure", "fp32", "this version"), _figures(gate))
    told = gate.circumstances
    if told is not None and told.champion is not None:
        yield from _table(("beside the champion", "difference"), _champion(told.champion))
    elif told is not None and told.no_champion:
        yield from ("", f"Not compared with the champion: {told.no_champion}")
    if gate.slices:
        yield from _table(("slice", "texts", "agreement", "accuracy"), map(_slice, gate.slices))
    if told is not None and len(told.rungs) > 1:
        head = ("rung", "size", "speed", "agreement", "score change", "why not")
        yield from _table(head, map(_rung, told.rungs))


def _figures(gate: Gate) -> Iterator[tuple[str, ...]]:
    yield "same label", "", f"{gate.agreement:.2%}"
    yield "score change, mean", "", f"{gate.mean_score_change:.4f}"
    if gate.p95_score_change is not None:
        yield "score change, 95 % of texts", "", f"{gate.p95_score_change:.4f}"
    named = (
        ("accuracy", gate.accuracy_fp32, gate.accuracy, gate.accuracy_interval),
        ("macro-F1", gate.macro_f1_fp32, gate.macro_f1, gate.macro_f1_interval),
        ("calibration error", gate.calibration_error_fp32, gate.calibration_error, None),
    )
    for name, before, after, interval in named:
        if before is not None and after is not None:
            yield name, f"{before:.1%}", f"{after:.1%}{_between(interval)}"
    told = gate.circumstances
    if told is not None and told.seconds is not None and told.speed is not None:
        yield "a text", duration(told.seconds * told.speed), duration(told.seconds)


def _champion(beside: Comparison) -> Iterator[tuple[str, ...]]:
    yield "version", str(beside.version)
    yield "same label", f"{beside.agreement:.2%}"
    yield "speed, size", f"{beside.speed:.2f} x, {beside.size:.2f} x"
    if beside.accuracy is not None:
        yield "accuracy", f"{beside.accuracy:+.1%}{_between(beside.accuracy_interval)}"
    if beside.macro_f1 is not None:
        yield "macro-F1", f"{beside.macro_f1:+.1%}{_between(beside.macro_f1_interval)}"


def _between(interval: Interval | None) -> str:
    return f" ({interval[0]:.1%} to {interval[1]:.1%})" if interval else ""


def _slice(part: Slice) -> tuple[str, ...]:
    accuracy = "" if part.accuracy is None else f"{part.accuracy:.1%}"
    return part.name, str(part.texts), f"{part.agreement:.2%}", accuracy


def _rung(rung: Rung) -> tuple[str, ...]:
    tried = rung.agreement is not None and rung.mean_score_change is not None
    return (
        rung.name,
        size(rung.nbytes) if rung.nbytes else "",
        "" if rung.speed is None else f"{rung.speed:.2f} x",
        f"{rung.agreement:.2%}" if tried else "not tried",
        f"{rung.mean_score_change:.4f}" if tried else "",
        "; ".join(rung.reasons),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from ("", _row(head), _row(["---"] * len(head)))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
