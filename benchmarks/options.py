"""The knobs that all benchmarks share: a full form for the figures, a quick one for CI."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from benchmarks.shapes import SHAPES
from models.settings import read_settings
from registry.export import ladder

ROUNDS = 3
FASTEST = ladder.RUNGS[0]
CHOSEN = "int8-rows"
"""The rung that the gate picks for most of the demo fleet (`python -m benchmarks.ladder`)."""


@dataclass(frozen=True, slots=True)
class Options:
    """How long and over what a benchmark runs.

    `seconds` is the length of one measurement, `rounds` how often each is repeated, in turns.
    """

    quick: bool
    check: bool
    rounds: int
    seconds: float
    shape: str
    precision: str
    home: Path

    @property
    def quotable(self) -> bool:
        """Whether the figures may be quoted."""
        return not self.quick and self.rounds >= ROUNDS

    def at_most(self, full: int, quick: int) -> int:
        """Return a number for the full form, or for the quick one."""
        return quick if self.quick else full


def read(doc: str | None, argv: list[str] | None = None, *, seconds: float = 20.0) -> Options:
    """Parse the command line; `seconds` is the full form's length of one measurement."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="toy models, one round, under 30 s")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    parser.add_argument("--rounds", type=int, help="times each side is measured, in turns")
    parser.add_argument("--seconds", type=float, help="length of one measurement")
    parser.add_argument("--shape", choices=sorted(SHAPES), help="size of the models")
    parser.add_argument("--precision", choices=ladder.RUNGS, help=f"rung, default {FASTEST}")
    given = parser.parse_args(argv)
    return Options(
        quick=given.quick,
        check=given.check,
        rounds=given.rounds or (1 if given.quick else ROUNDS),
        seconds=given.seconds or (min(seconds, 2.0) if given.quick else seconds),
        shape=given.shape or ("toy" if given.quick else "base"),
        precision=given.precision or (ladder.DEFAULT if given.quick else FASTEST),
        home=read_settings().home.resolve(),
    )
