"""Remake the committed heads out of labelled rows: `python -m training.heads`.

Texts and features stay below the home folder; what is written to training/heads/ is numbers.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.settings import read_settings
from training.catalogue import catalogue
from training.choose import Fitted, own_head, shared_head
from training.features import MAX_TOKENS, features
from training.fit import Scale
from training.fleet import MODEL_PACKAGES, assemble
from training.head import FOLDER, Head, Lot
from training.rows import Row, labelled
from training.source import source

Report = Callable[[str], object]
DIGITS = 6


@dataclass(frozen=True)
class Encoded:
    """The train rows of a language: features (n, d), labels (n,), and what they are."""

    features: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    lot: Lot


def remake(home: Path, folder: Path, report: Report) -> None:
    """Write shared.json and one head for each language with labelled rows to `folder`.

    Features are kept in home/"features" for the next time. `FetchFailed`, `HashMismatch`.
    """
    encoder = blank_checkpoint(home, report)
    encoded = {row.tag: encode(row.tag, encoder, home, report) for row in catalogue().labelled()}
    scale = Scale.of(np.concatenate([part.features for part in encoded.values()]))
    rows = {tag: scale.rows(part.features, part.labels) for tag, part in encoded.items()}
    report("fitting the shared head")
    fitted = shared_head(rows)
    shared = head("shared", scale, fitted, {tag: part.lot for tag, part in encoded.items()})
    shared.save(folder)
    for tag, part in encoded.items():
        report(f"fitting the head of {tag}")
        own = head(tag, scale, own_head(rows, tag, fitted), {tag: part.lot})
        own.model_copy(update={"prior": shared.digest()}).save(folder)


def head(name: str, scale: Scale, fitted: Fitted, lots: dict[str, Lot]) -> Head:
    """Return the committed form of fitted weights, for features as the checkpoint has them."""
    weight, bias = scale.unscaled(fitted.weights)
    sources = [catalogue().language(tag).rows for tag in lots]
    packages = {*MODEL_PACKAGES, *(source.package for source in sources if source)}
    return Head(
        name=name,
        weight=tuple(round(float(number), DIGITS) for number in weight),
        bias=round(bias, DIGITS),
        trained_on=lots,
        packages={key: catalogue().packages[key].sha256 for key in sorted(packages)},
        settings={"strength": fitted.strength, "temperature": round(fitted.temperature, DIGITS)},
    )


def blank_checkpoint(home: Path, report: Report) -> Path:
    """Return the shared checkpoint with a head that says nothing, built anew."""
    base = source(home / "downloads")
    blank = Head.blank(base.file.sizes.hidden)
    row = catalogue().language("mul")
    return assemble(base, row, blank, home / "features" / "encoder", report)


def encode(tag: str, encoder: Path, home: Path, report: Report) -> Encoded:
    """Return the encoded train rows of a language; the slow part, so its result is kept."""
    rows = labelled(tag, home).train
    lot = Lot(rows=len(rows), sha256=fingerprint(rows))
    kept = home / "features" / f"{tag}-{lot.sha256[:16]}-{MAX_TOKENS}.npy"
    if not kept.is_file():
        report(f"encoding {len(rows)} rows of {tag}")
        found = features(encoder, [row.text for row in rows])
        part = kept.with_suffix(".part.npy")
        np.save(part, found, allow_pickle=False)
        part.replace(kept)
    labels = np.array([row.label for row in rows], np.int64)
    return Encoded(np.load(kept, allow_pickle=False).astype(np.float64), labels, lot)


def fingerprint(rows: tuple[Row, ...]) -> str:
    """Return the sha256 over texts and labels, in order."""
    joined = "\x1e".join(f"{row.label}\x1f{row.text}" for row in rows)
    return hashlib.sha256(joined.encode()).hexdigest()


def main() -> None:
    """Run `remake` with the home folder of the settings, or `--home`."""
    parser = argparse.ArgumentParser(description="Remake the committed heads.")
    parser.add_argument("--home", type=Path, default=read_settings().home)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    asked = parser.parse_args()
    remake(asked.home, asked.folder, lambda line: sys.stderr.write(line + "\n"))


if __name__ == "__main__":
    main()
