"""Bytes that are on the disk, not only on their way."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.disk import flush
from models.errors import StoreFailed


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn the disk's refusals into StoreFailed, with a sentence for the person who reads it."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        why = "the disk is full" if full else str(error)
        message = f"{place} could not be written: {why}; what was there is untouched"
        raise StoreFailed(message) from error


def replace(path: Path, content: bytes) -> None:
    """Give a file new content: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    flush(partial)
    partial.replace(path)
    flush(path.parent)
