"""API keys: who may ask, for what, how often; the file holds hashes, never a key."""

import hashlib
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.disk import flush, locked
from models.settings import Settings
from models.store import Store

PREFIX = "polysent_"
"""What every key begins with, so that people and secret scanners know one when they see it."""
NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"


class Scope(StrEnum):
    """What a key is for; an `admin` may do what `predict` may."""

    PREDICT = "predict"
    ADMIN = "admin"


class Key(BaseModel):
    """Who a key belongs to, and what it is good for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=NAME)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scope: Scope = Scope.PREDICT
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Texts a second that it may ask for in the long run; None is as many as the service can."""
    made: datetime

    @classmethod
    def new(cls, name: str, scope: Scope, rate: float | None) -> tuple[Self, str]:
        """Return a key's entry and the key itself, which nobody can tell from the entry."""
        key = PREFIX + secrets.token_urlsafe(32)
        made = datetime.now(UTC).replace(microsecond=0)
        return cls(name=name, sha256=digest(key), scope=scope, rate=rate, made=made), key


class Keys(BaseModel):
    """All keys, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[Key, ...] = ()

    @field_validator("keys")
    @classmethod
    def _named_once(cls, keys: tuple[Key, ...]) -> tuple[Key, ...]:
        if len({key.name for key in keys}) < len(keys):
            message = "a name stands twice"
            raise ValueError(message)
        return keys

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; OSError, or ValueError where it holds no keys or others can write it."""
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o022:
                message = f"{path} can be written by others; chmod 600 it"
                raise ValueError(message)
            return cls.model_validate_json(file.read())

    def with_(self, key: Key) -> Self:
        """Return these and one more; ValueError where its name is taken."""
        return type(self)(keys=(*self.keys, key))

    def without(self, name: str) -> Self:
        """Return these but one; ValueError where there is none of this name."""
        left = tuple(key for key in self.keys if key.name != name)
        if left == self.keys:
            message = f"there is no key {name!r}"
            raise ValueError(message)
        return type(self)(keys=left)


def digest(key: str) -> str:
    """Return what is kept of a key: its SHA-256, in hexadecimal.

    A key is 256 random bits, so there is nothing to guess and a slow hash would protect nothing;
    it would cost every request what it costs a thief.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def keys_file(settings: Settings, store: Store) -> Path:
    """Return where the keys are."""
    return Path(settings.keys_file) if settings.keys_file else store.keys


def change(path: Path, how: Callable[[Keys], Keys]) -> None:
    """Change the keys of a file, which its own user alone may read; no file means no keys.

    A reader sees the old ones or the new. Errors are those of `Keys.read` and of `how`.
    """
    with locked(path.with_name(f".{path.name}.lock")):
        _write(path, how(Keys.read(path) if path.exists() else Keys()))


def _write(path: Path, keys: Keys) -> None:
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(keys.model_dump_json(indent=2) + "\n")
        flush(staged)
        staged.replace(path)
        flush(path.parent)
    finally:
        staged.unlink(missing_ok=True)
