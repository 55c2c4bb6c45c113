"""The registry seam: what Polysent needs of MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from models.identity import ModelId
from models.manifest import Manifest

Alias = Literal["champion", "challenger"]
"""Aliases are case-sensitive in MLflow; these are all there are."""
State = Literal["served", "replaced", "failed"]
"""`replaced` has lost its route, to another version or because no alias names it any more."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """The version that an alias names; the digest of its manifest where the registry knows it."""

    model: ModelId
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A version in the registry; `new` is False where the same artifact was there already."""

    model: ModelId
    digest: str
    new: bool


class Registry(Protocol):
    """Every call raises RegistryUnavailable, with a sentence, where there is no good answer."""

    def register(self, folder: Path, manifest: Manifest) -> Registered:
        """Upload an artifact and make it a version; nothing looks registered before all is there.

        An artifact with the same manifest is not uploaded again.
        """
        ...

    def newest(self, language: str) -> ModelId | None:
        """Return the latest version of a language; None where it has none."""
        ...

    def promote(self, model: ModelId, alias: Alias) -> None:
        """Let the alias name this version, and no other of its language."""
        ...

    def champions(self) -> Mapping[str, Promoted]:
        """Return language -> champion, of all languages, in one call."""
        ...

    def download(self, model: ModelId, into: Path) -> None:
        """Fetch the files of a version into an empty folder; they are not verified.

        OSError where the disk gives up.
        """
        ...

    def report(self, model: ModelId, state: State, error: str = "") -> None:
        """Write on the version what became of it here, for the person who promoted it."""
        ...
