"""Safetensors files, judged by their headers."""

import hashlib
import json
import operator
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.manifest import sha256

LONGEST_HEADER = 100 * 2**20
"""Bytes; the limit of the safetensors format."""
_LENGTH = 8
_SHARD = re.compile(r"[\w.-]+\.safetensors")


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a checkpoint, sorted."""
    return sorted(folder.glob("*.safetensors"))


def weight_problems(folder: Path) -> list[str]:
    """Return what is wrong with the weights of a checkpoint; empty where nothing is."""
    files = weight_files(folder)
    if not files:
        return ["no *.safetensors"]
    broken = [f"{file.name}: {problem}" for file in files for problem in problems(file)]
    return broken + [
        problem for index in sorted(folder.glob("*.index.json")) for problem in _bad_shards(index)
    ]


def content_digest(files: list[Path]) -> str:
    """Return one sha256 over the names and contents of files."""
    lines = [f"{sha256(file)}  {file.name}\n" for file in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def problems(path: Path) -> Iterator[str]:
    """Yield what is wrong with one safetensors file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            if not 0 < length <= min(LONGEST_HEADER, size - _LENGTH):
                yield "no safetensors header"
                return
            needed = _LENGTH + length + _end(json.loads(file.read(length)))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        yield "the safetensors header can't be read"
        return
    if needed != size:
        yield f"truncated or padded: {size} bytes, not {needed}"


def _end(header: dict[str, Any]) -> int:
    """Return where the last tensor ends, in bytes after the header."""
    tensors = [entry for name, entry in header.items() if name != "__metadata__"]
    return max((operator.index(entry["data_offsets"][1]) for entry in tensors), default=0)


def _bad_shards(index: Path) -> list[str]:
    """Return what is wrong with the files that an index names; transformers would open them all."""
    try:
        shards = set(json.loads(index.read_bytes())["weight_map"].values())
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return [f"{index.name} can't be read"]
    names = sorted(map(str, shards))
    strange = [name for name in names if not _SHARD.fullmatch(name)]
    return [
        f"{index.name} names {name!r}; only *.safetensors beside it are taken" for name in strange
    ] + [
        f"{name} is missing"
        for name in names
        if name not in strange and not (index.parent / name).is_file()
    ]
