"""A secret that nobody has set: made once, kept in a file that only its own user can read."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

LEAST_CHARS = 16


def kept(path: Path) -> str:
    """Return the secret of a file; OSError.

    A new random one where there is none, or one that others can have read or written. Processes
    that start together get the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
    try:
        if not _trusted(path):
            path.unlink(missing_ok=True)
        with suppress(FileExistsError):  # another replica was first: its token holds
            path.hardlink_to(staged)
        return path.read_text("ascii")
    finally:
        staged.unlink()


def _trusted(path: Path) -> bool:
    """Say whether there is a token that nobody else can have read or written."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    ours = status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
    return stat.S_ISREG(status.st_mode) and ours and status.st_size >= LEAST_CHARS
