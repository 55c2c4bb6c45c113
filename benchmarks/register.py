"""What does a checkpoint of XLM-R-large size cost on its way to a servable artifact?

Random weights of the real shape: inspected, exported on one fixed rung, opened, and compared with
torch on 64 texts, in a process of its own. Then it is exported once more: the hashes must agree.
`--trim`: with a word table trimmed to the pieces of many texts, on a rung of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
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
from models.manifest import TOKENIZER, Manifest
from models.tokens import Tokenizers
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export.export import export
from registry.export.trim import Trim, pieces
from registry.gate.reference import Reference
from training.catalogue import catalogue
from training.texts import unlabelled

TRIM = "--trim"
TEXTS, QUICK_TEXTS = 64, 8
MINUTES, GIB, CHANGE = 6.0, 8.0, 0.01
MESSAGES = 10_000
"""Of a language; there are fewer."""


@dataclass(frozen=True, slots=True)
class Form:
    """In which form it is exported, and what share of fp32 it may be then."""

    name: str
    rung: str
    share: float
    trimmed: bool = False

    def card(self, home: Path) -> Card:
        """Return the card, with texts of many pieces where the word table is trimmed."""
        return Card("en", trim=Trim(tuple(many(home))) if self.trimmed else None)


WHOLE = Form("register", "int8-block32-v32", 0.40)
TRIMMED = Form("register_trimmed", "int8-rows", 0.20, trimmed=True)


@dataclass(frozen=True, slots=True)
class Journey:
    """What one way from checkpoint to artifact took."""

    seconds: float
    peak_gib: float
    digest: str
    nbytes: int
    change: float
    """Mean absolute change of the positive probability."""
    kept: int
    """Pieces whose word embeddings stayed in 8 bits; 0 where all did."""


def main() -> int:
    """Measure, print, keep."""
    form = TRIMMED if TRIM in sys.argv else WHOLE
    if len(sys.argv) > 1 and sys.argv[1] == "journey":
        return journey(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), form)
    options = read(__doc__, [word for word in sys.argv[1:] if word != TRIM])
    shape = SHAPES["toy" if options.quick else "large"]
    home = options.home / "benchmarks"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        checkpoint = Path(folder) / "checkpoint"
        err.print("write the checkpoint")
        size = checkpoints.write(checkpoint, shape, tokenizer(options.home))
        texts = options.at_most(TEXTS, QUICK_TEXTS)
        both = [measured(checkpoint, Path(folder) / name, texts, form) for name in ("one", "two")]
    result = Result(
        name=form.name,
        question="What does a checkpoint of XLM-R-large size cost on its way to an artifact?",
        setup={"rung": form.rung, "texts": texts, "fp32 bytes": size, **asdict(shape)},
        claims=claims(both, size, form),
        beside={"artifact bytes": both[0].nbytes, "pieces kept": both[0].kept},
    )
    return finish(result, options, lambda axes: draw(axes, both))


def claims(both: list[Journey], size: int, form: Form) -> tuple[Claim, ...]:
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
        Claim("artifact / fp32", tuple(j.nbytes / size for j in both), "at most", form.share),
        Claim("mean change of a score", tuple(j.change for j in both), "at most", CHANGE),
        Claim("same hashes when exported twice", (same,), "at least", 1),
    )


def measured(checkpoint: Path, artifact: Path, texts: int, form: Form) -> Journey:
    """Go the way in a process of its own, whose peak the kernel keeps."""
    stage = ["-m", "benchmarks.register", "journey", str(checkpoint), str(artifact), str(texts)]
    stage += [TRIM] * form.trimmed
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
    found = json.loads(told)
    err.print(f"{seconds:.0f} s, {peak:.2f} GiB", highlight=False)
    return Journey(seconds, peak, manifest.digest, manifest.nbytes, found["change"], found["kept"])


def journey(checkpoint: Path, artifact: Path, count: int, form: Form) -> int:
    """Inspect, export, open and compare; print the change of the scores."""
    judged = inspect(checkpoint)
    home = checkpoint.parents[2]
    card = form.card(home)
    manifest = export(judged, card, artifact, _say, rung=form.rung)
    texts = unlabelled("en", home, count)
    _say("answer with torch")
    theirs = Reference(judged, manifest.max_tokens)(texts)
    _say("answer with the artifact")
    ours = open_artifact(artifact, Tokenizers(), threads=os.cpu_count() or 1)(texts)
    changes = [abs(a["positive"] - b["positive"]) for a, b in zip(ours, theirs, strict=True)]
    kept = pieces(artifact / TOKENIZER, card.trim) if card.trim else []
    print(json.dumps({"change": fmean(changes), "kept": len(kept)}))  # noqa: T201  (read by the parent)
    return 0


def many(home: Path) -> Iterator[str]:
    """Yield the messages of all languages of the demo fleet: more pieces than are kept."""
    for language in catalogue().languages:
        yield from unlabelled(language, home, MESSAGES)


def _say(sentence: str) -> None:
    err.print(f"  {time.strftime('%H:%M:%S')} {sentence}", highlight=False)


def draw(axes: Axes, both: list[Journey]) -> None:
    """Draw the peaks of memory."""
    axes.bar(["first", "second"], [each.peak_gib for each in both])
    axes.axhline(GIB, linestyle="--")
    axes.set_ylabel("peak memory in GiB")


if __name__ == "__main__":
    sys.exit(main())
