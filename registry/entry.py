"""One model of a fleet, as a person describes it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from models.labels import Label
from registry.checkpoints.checkpoint import UNKNOWN


@dataclass(frozen=True, slots=True)
class Entry:
    """A checkpoint that is to become a version."""

    language: str
    source: str
    """A local directory, or a hub id where there is a hub."""
    covers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    """Our name of each label that does not say what it means."""
    texts: Path | None = None
    """UTF-8 file, a text a line, to compare with fp32 on."""
    licence: str = ""
    base_model: str = ""
    data_digest: str = UNKNOWN


def mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Return `["LABEL_0=negative"]` as a mapping; ValueError names each that is none."""
    ours = get_args(Label)
    split = {pair: pair.rpartition("=") for pair in pairs}
    if wrong := [pair for pair, (name, _, own) in split.items() if not name or own not in ours]:
        message = f"wants NAME=OURS, ours being {', '.join(ours)}, not {', '.join(wrong)}"
        raise ValueError(message)
    return {name: own for name, _, own in split.values()}


def words(spelled: str) -> tuple[str, ...]:
    """Return the words of a list with commas, semicolons or spaces between them."""
    return tuple(filter(None, re.split(r"[,;\s]+", spelled)))
