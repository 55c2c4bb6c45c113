"""Safetensors files, judged by their headers."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.manifest import sha256

INDEX = "model.safetensors.index.json"
LONGEST_HEADER = 100 * 2**20
"""Bytes; the limit of the safetensors format."""
_LENGTH = 8


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a checkpoint, sorted."""
    return sorted(folder.glob("*.safetensors"))


def weight_problems(folder: Path) -> list[str]:
    """Return what is wrong with the weights of a checkpoint; empty where nothing is."""
    files = weight_files(folder)
    if not files:
        return ["no *.safetensors"]
    broken = [f"{file.name}: {problem}" for file in files for problem in _problems(file)]
    return broken + [f"{name} is missing" for name in _missing_shards(folder)]


def content_digest(files: list[Path]) -> str:
    """Return one sha256 over the names and contents of files."""
    lines = [f"{sha256(file)}  {file.name}\n" for file in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _problems(path: Path) -> Iterator[str]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
        if not 0 < length <= min(LONGEST_HEADER, size - _LENGTH):
            yield "no safetensors header"
            return
        try:
            header = json.loads(file.read(length))
            end = max((entry["data_offsets"][1] for entry in _tensors(header)), default=0)
        except (ValueError, TypeError, LookupError, AttributeError):
            yield "the safetensors header can't be read"
            return
    if _LENGTH + length + end != size:
        yield f"truncated or padded: {size} bytes, not {_LENGTH + length + end}"


def _tensors(header: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for name, entry in header.items() if name != "__metadata__"]


def _missing_shards(folder: Path) -> list[str]:
    path = folder / INDEX
    if not path.is_file():
        return []
    try:
        shards = set(json.loads(path.read_bytes())["weight_map"].values())
    except (ValueError, LookupError, AttributeError, TypeError):
        return [f"a readable {INDEX}"]
    return sorted(str(name) for name in shards if not (folder / str(name)).is_file())
