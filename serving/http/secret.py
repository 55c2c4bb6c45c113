"""The token of the control plane: as set, else a random one that only this user can read."""

import logging
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from models.settings import Settings
from models.store import Store

_LOG = logging.getLogger(__name__)

LEAST_CHARS = 16


def admin_token(settings: Settings, store: Store) -> str:
    """Return the token; a random one is kept in the store, so that its replicas share it.

    Where it can't be kept, nobody knows it, and the control plane is closed.
    """
    if set_ := settings.admin_token.get_secret_value():
        return set_
    try:
        return _kept(store.token)
    except OSError as error:
        _LOG.warning("pin and evict need POLYSENT_ADMIN_TOKEN: no token can be kept: %s", error)
        return secrets.token_urlsafe()


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe())
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
