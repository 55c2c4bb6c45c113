"""The parts of a gate's certificate: slices, rungs, and what the champion of the day did."""

from pydantic import BaseModel, ConfigDict

Interval = tuple[float, float]
"""Lower and upper bound; 95 % of such intervals hold the true figure."""


class Part(BaseModel):
    """A frozen piece of a manifest that takes no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Slice(Part):
    """The figures of a part of the texts and rows: those of like length, or of one source."""

    name: str
    texts: int
    agreement: float
    mean_score_change: float
    labelled: int = 0
    accuracy_fp32: float | None = None
    accuracy: float | None = None


class Rung(Part):
    """What one rung of the ladder agreed and cost; without `agreement` it was not tried."""

    name: str
    nbytes: int = 0
    """Bytes of the artifact; 0 where it could not be exported."""
    speed: float | None = None
    """How many times as fast as fp32, on the machine that chose."""
    agreement: float | None = None
    mean_score_change: float | None = None
    reasons: tuple[str, ...] = ()
    """Why it was not taken; empty for the chosen one, and for those that were not tried."""


class Comparison(Part):
    """A version beside the champion of the day, on the same rows; differences are new minus old."""

    version: int
    digest: str
    """Of the champion's manifest."""
    agreement: float
    """Share of texts on which both choose the same label."""
    size: float
    """How many times the bytes."""
    speed: float
    """How many times as fast, on the machine that compared."""
    labelled: int = 0
    accuracy: float | None = None
    accuracy_interval: Interval | None = None
    macro_f1: float | None = None
    macro_f1_interval: Interval | None = None


class Circumstances(Part):
    """What another machine or another day would give; no part of the manifest's digest."""

    seconds: float | None = None
    """Core seconds of a text, in small batches."""
    speed: float | None = None
    """How many times as fast as fp32; None where nobody asked."""
    champion: Comparison | None = None
    no_champion: str = ""
    """Why it was compared with none."""
    rungs: tuple[Rung, ...] = ()
    """The ladder, in the order of trial."""
