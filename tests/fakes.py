"""Fakes with memory, checked against the same Protocols as the real things."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as HFTokenizer
from tokenizers import models, pre_tokenizers

from models.artifact import Artifact
from models.engine import Engine
from models.identity import Tag
from models.manifest import Manifest
from models.tokens import Batch, Tokenizer

WORDS = {"<pad>": 0, "<unk>": 1, "good": 2, "bad": 3, "poison": 4}


@dataclass
class FakeEngine:
    nbytes: int = 1
    closed: bool = False
    batches: list[list[list[int]]] = field(default_factory=list)
    gate: threading.Event | None = None
    fault: str = ""

    def run(self, batch: Batch) -> NDArray[np.float32]:
        if self.gate:
            self.gate.wait(5)
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


def fake_artifact(engine: Engine, language: str = "en") -> Artifact:
    backend = HFTokenizer(models.WordLevel(WORDS, "<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
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
    return Artifact(manifest, Tokenizer(backend), engine)


@dataclass
class FakeModels:
    """Opens fake models; `broken` ones fail, and none opens before `gate` is set."""

    opened: list[Tag] = field(default_factory=list)
    broken: set[Tag] = field(default_factory=set)
    gate: threading.Event | None = None
    engines: dict[Tag, FakeEngine] = field(default_factory=dict)
    make: Callable[[], FakeEngine] = FakeEngine

    def __call__(self, tag: Tag) -> Artifact:
        if self.gate:
            self.gate.wait(5)
        self.opened.append(tag)
        if tag in self.broken:
            message = "broken"
            raise OSError(message)
        self.engines[tag] = self.make()
        return fake_artifact(self.engines[tag], tag.model.language)
