"""What a prepacked form is: its files, and what it was made of."""

import json
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.manifest import FileName, Sha256

NAME = "form.json"


class Made(BaseModel):
    """One file of the form, as it was when it had been verified."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Annotated[int, Field(ge=0)]
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Describe a file as it is on disk."""
        stat = path.stat()
        return cls(size=stat.st_size, mtime_ns=stat.st_mtime_ns)

    def is_at(self, path: Path) -> bool:
        """Tell by size and time whether the file is still that one."""
        stat = path.stat()
        return (stat.st_size, stat.st_mtime_ns) == (self.size, self.mtime_ns)


class Form(BaseModel):
    """`form.json`: what the prepacked form was made of, and its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Sha256
    """Digest of the manifest."""
    files: dict[FileName, Made]
    nbytes: int
    """Upper bound of what it takes once it is open."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it; OSError or ValidationError where it is missing or broken."""
        return cls.model_validate_json((folder / NAME).read_bytes())

    def write(self, folder: Path) -> None:
        """Write it beside the files."""
        (folder / NAME).write_text(json.dumps(self.model_dump(mode="json"), indent=2) + "\n")


def is_whole(folder: Path, source: str) -> bool:
    """Tell whether a folder holds the form of that manifest, with files as they were verified."""
    try:
        form = Form.read(folder)
        return form.source == source and all(
            made.is_at(folder / name) for name, made in form.files.items()
        )
    except (OSError, ValidationError):
        return False
