"""Fakes with memory, checked against the same Protocols as the real things."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.artifact import Model
from models.engine import Engine
from models.identity import Tag
from models.manifest import Manifest
from models.tokens import Batch

WORDS = {"<pad>": 0, "<unk>": 1, "good": 2, "bad": 3, "poison": 4}


@dataclass
class FakeEngine:
    nbytes: int = 1
    closed: bool = False
    batches: list[list[list[int]]] = field(default_factory=list)
    gate: threading.Event | None = None
    fault: str = ""
    seconds: float = 0.0
    alone: list[bool] = field(default_factory=list)

    def run(self, batch: Batch, *, alone: bool = True) -> NDArray[np.float32]:
        self.alone.append(alone)
        if self.gate:
            self.gate.wait(5)
        time.sleep(self.seconds)
        rows = [
            ids[mask == 1].tolist()
            for ids, mask in zip(batch.input_ids, batch.attention_mask, strict=True)
        ]
        self.batches.append(rows)
        if any(WORDS["poison"] in row for row in rows):
            message = "poison"
            raise RuntimeError(message)
        votes = np.array(
            [[row.count(WORDS["bad"]), row.count(WORDS["good"])] for row in rows], dtype=np.float32
        )
        if self.fault == "nan":
            votes[:] = np.nan
        return votes[1:] if self.fault == "short" else votes

    def close(self) -> None:
        self.closed = True


def fake_model(engine: Engine, language: str = "en") -> Model:
    manifest = Manifest(
        language=language,
        labels=("negative", "positive"),
        unified=("negative", "positive"),
        max_tokens=32,
        pad_token_id=0,
        base_model="fake",
        precision="fp32",
        training_data_digest="",
        licence="",
        files={},
    )
    return Model(manifest, engine)


@dataclass
class FakeModels:
    """Opens fake models; `broken` ones fail, and none opens before `gate` is set."""

    opened: list[Tag] = field(default_factory=list)
    broken: set[Tag] = field(default_factory=set)
    gate: threading.Event | None = None
    engines: dict[Tag, FakeEngine] = field(default_factory=dict)
    make: Callable[[], FakeEngine] = FakeEngine
    claim: int = 1

    def claims(self, tag: Tag) -> int:
        del tag
        return self.claim

    def open(self, tag: Tag) -> Model:
        if self.gate:
            self.gate.wait(5)
        self.opened.append(tag)
        if tag in self.broken:
            message = "broken"
            raise OSError(message)
        self.engines[tag] = self.make()
        return fake_model(self.engines[tag], tag.model.language)


@dataclass
class Clock:
    """Time that passes when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
