"""What does a checkpoint of XLM-R-large size cost on its way to a servable artifact?

Random weights of the real shape: inspected, exported on one fixed rung, opened, and compared with
torch on 64 texts, in a process of its own. Then it is exported once more: the hashes must agree.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from matplotlib.axes import Axes

from benchmarks import checkpoints
from benchmarks.fleet import tokenizer
from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from benchmarks.shapes import SHAPES
from cli.console import err
from models.artifact import open_artifact
from models.manifest import Manifest
from models.tokens import Tokenizers
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export.export import export
from registry.gate.reference import Reference
from training.texts import unlabelled

RUNG = "int8-block32-v32"
TEXTS, QUICK_TEXTS = 64, 8
MINUTES, GIB, SHARE, CHANGE = 6.0, 8.0, 0.40, 0.01
SPREAD = 0.02
"""Standard deviation of the random weights, as XLM-R begins with."""
CHUNK = 2**24


@dataclass(frozen=True, slots=True)
class Journey:
    """What one way from checkpoint to artifact took."""

    seconds: float
    peak_gib: float
    digest: str
    nbytes: int
    change: float
    """Mean absolute change of the positive probability."""


def main() -> int:
    """Measure, print, keep."""
    if len(sys.argv) > 1 and sys.argv[1] == "journey":
        return journey(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    options = read(__doc__)
    shape = SHAPES["toy" if options.quick else "large"]
    home = options.home / "benchmarks"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        checkpoint = Path(folder) / "checkpoint"
        err.print("write the checkpoint")
        size = checkpoints.write(checkpoint, shape, tokenizer(options.home))
        texts = options.at_most(TEXTS, QUICK_TEXTS)
        both = [measured(checkpoint, Path(folder) / name, texts) for name in ("one", "two")]
    result = Result(
        name="register",
        question="What does a checkpoint of XLM-R-large size cost on its way to an artifact?",
        setup={"rung": RUNG, "texts": texts, "fp32 bytes": size, **asdict(shape)},
        claims=claims(both, size),
        beside={"artifact bytes": both[0].nbytes},
    )
    return finish(result, options, lambda axes: draw(axes, both))


def claims(both: list[Journey], size: int) -> tuple[Claim, ...]:
    """Return the targets beside what was measured."""
    same = float(len({each.digest for each in both}) == 1)
    return (
        Claim(
            "checkpoint to artifact",
            tuple(j.seconds / 60 for j in both),
            "at most",
            MINUTES,
            " min",
        ),
        Claim("peak memory", tuple(j.peak_gib for j in both), "at most", GIB, " GiB"),
        Claim("artifact / fp32", tuple(j.nbytes / size for j in both), "at most", SHARE),
        Claim("mean change of a score", tuple(j.change for j in both), "at most", CHANGE),
        Claim("same hashes when exported twice", (same,), "at least", 1),
    )


def measured(checkpoint: Path, artifact: Path, texts: int) -> Journey:
    """Go the way in a process of its own, whose peak the kernel keeps."""
    stage = ["-m", "benchmarks.register", "journey", str(checkpoint), str(artifact), str(texts)]
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, *stage], stdout=subprocess.PIPE) as process:  # noqa: S603  (ourselves)
        told = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        message = f"the export ended with {process.returncode}"
        raise RuntimeError(message)
    manifest = Manifest.read(artifact)
    peak = usage.ru_maxrss / 2**20
    change = json.loads(told)["change"]
    err.print(f"{seconds:.0f} s, {peak:.2f} GiB", highlight=False)
    return Journey(seconds, peak, manifest.digest, manifest.nbytes, change)


def journey(checkpoint: Path, artifact: Path, count: int) -> int:
    """Inspect, export, open and compare; print the change of the scores."""
    judged = inspect(checkpoint)
    manifest = export(judged, Card("en"), artifact, _say, rung=RUNG)
    texts = unlabelled("en", checkpoint.parents[2], count)
    _say("answer with torch")
    theirs = Reference(judged, manifest.max_tokens)(texts)
    _say("answer with the artifact")
    ours = open_artifact(artifact, Tokenizers(), threads=os.cpu_count() or 1)(texts)
    changes = [abs(a["positive"] - b["positive"]) for a, b in zip(ours, theirs, strict=True)]
    print(json.dumps({"change": fmean(changes)}))  # noqa: T201  (read by the parent)
    return 0


def _say(sentence: str) -> None:
    err.print(f"  {time.strftime('%H:%M:%S')} {sentence}", highlight=False)


def draw(axes: Axes, both: list[Journey]) -> None:
    """Draw the peaks of memory."""
    axes.bar(["first", "second"], [each.peak_gib for each in both])
    axes.axhline(GIB, linestyle="--")
    axes.set_ylabel("peak memory in GiB")


if __name__ == "__main__":
    sys.exit(main())
