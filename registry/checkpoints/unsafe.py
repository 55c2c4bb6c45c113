"""Files that run code when they are opened."""

from collections.abc import Iterator
from pathlib import Path

from registry.checkpoints.weights import problems

PICKLE_SUFFIXES = frozenset(
    {".bin", ".ckpt", ".dill", ".h5", ".joblib", ".keras", ".npy", ".npz", ".pickle", ".pkl"}
    | {".pt", ".pth", ".tar", ".th"}
)
_MAGIC = {
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"PK\x03\x04": "a zip, as torch.save writes pickles",
    b"\x89HDF": "an HDF5 file",
    b"\x1f\x8b": "a gzip, as joblib writes pickles",
}


def unsafe_files(folder: Path) -> list[str]:
    """Return why each file of a checkpoint that could run code may not be in it; empty is safe.

    Judged by name and by the first bytes, whatever the name; nothing is opened with a loader.
    """
    return [
        f"{path.relative_to(folder)} is {what}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for what in _what(path)
    ]


def _what(path: Path) -> Iterator[str]:
    if path.suffix == ".py":
        yield "code; only architectures of transformers itself are taken"
    elif path.suffix.lower() in PICKLE_SUFFIXES:
        yield "a pickle by its name; only safetensors are taken"
    elif path.suffix != ".safetensors" or any(problems(path)):  # a good one may begin like a pickle
        with path.open("rb") as file:
            head = file.read(4)
        yield from (what for magic, what in _MAGIC.items() if head.startswith(magic))
