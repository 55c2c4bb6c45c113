"""What a benchmark found: claims with targets, printed, kept as JSON and as a picture."""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from benchmarks.options import Options
from cli.console import out

FOLDER = Path(__file__).parent / "results"
Bound = Literal["at least", "at most"]
Draw = Callable[[Axes], None]


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure with a target: the median of its rounds; no rounds means it was not shown."""

    name: str
    rounds: tuple[float, ...]
    bound: Bound
    target: float
    unit: str = ""

    @property
    def measured(self) -> float | None:
        """The median of the rounds."""
        return median(self.rounds) if self.rounds else None

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        if self.measured is None:
            return False
        if self.bound == "at least":
            return self.measured >= self.target
        return self.measured <= self.target

    @property
    def spread(self) -> str:
        """The lowest and the highest round."""
        return f"{min(self.rounds):.3g} .. {max(self.rounds):.3g}" if self.rounds else ""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one question; `beside` holds figures without a target."""

    name: str
    question: str
    setup: dict[str, Any]
    claims: tuple[Claim, ...]
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every target is met."""
        return all(claim.holds for claim in self.claims)

    def to_json(self) -> str:
        """Return what is kept."""
        plain = asdict(self)
        for kept, claim in zip(plain["claims"], self.claims, strict=True):
            kept |= {"measured": claim.measured, "holds": claim.holds}
        plain |= {"machine": machine(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def finish(result: Result, options: Options, draw: Draw) -> int:
    """Print and keep a result; return the exit code.

    Those of the quick form, or of fewer rounds, go below the home folder: nobody quotes them.
    """
    folder = FOLDER if options.quotable else options.home / "benchmarks" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.name}.json").write_text(result.to_json(), "utf-8")
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.set_title(result.question, fontsize=9)
    draw(axes)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": result.name}):
        figure.savefig(folder / f"{result.name}.svg", metadata={"Date": None})
    show(result)
    out.print(f"kept in {folder / result.name}.json and .svg", highlight=False)
    return 1 if options.check and not result.holds else 0


def show(result: Result) -> None:
    """Print the table."""
    table = Table("claim", "measured", "target", "", "rounds", title=result.question)
    for claim in result.claims:
        measured = "not shown" if claim.measured is None else f"{claim.measured:.3g}{claim.unit}"
        verdict = "[green]holds[/]" if claim.holds else "[red]missed[/]"
        target = f"{claim.bound} {claim.target:g}{claim.unit}"
        table.add_row(claim.name, measured, target, verdict, claim.spread)
    out.print(table)
    for name, value in {**result.setup, **result.beside}.items():
        out.print(f"  {name}: {rounded(value)}", highlight=False, markup=False)


def rounded(value: Any) -> Any:  # noqa: ANN401  (whatever a benchmark has found)
    """Return a value as people want to read it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(str(rounded(each)) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {rounded(each)}" for name, each in value.items())
    return value


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    cores = len(os.sched_getaffinity(0))
    return {"cpu": model, "cores": cores, "memory_gib": memory, "python": platform.python_version()}
