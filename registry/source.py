"""The registry seam: what Polysent needs of MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, get_args

from models.identity import ModelId
from models.manifest import Manifest

Alias = Literal["champion", "challenger"]
"""Aliases are case-sensitive in MLflow; these are all there are."""
ALIASES: tuple[Alias, ...] = get_args(Alias)
State = Literal["staged", "served", "challenging", "replaced", "failed"]
"""`replaced` has lost its route, to another version or because no alias names it any more."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """The version that an alias names; the digest of its manifest where the registry knows it."""

    model: ModelId
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Aliases:
    """What the registry says of one language, now."""

    champion: Promoted | None = None
    challenger: Promoted | None = None
    share: float = 0.0
    """Part of the requests that the challenger answers, 0 to 1."""
    shadow: bool = False
    """Whether the challenger runs on a copy of the others, without answering."""
    newest: Promoted | None = None
    """The newest version that has passed the gate, whatever names it."""
    strange: Mapping[str, int] = field(default_factory=dict)
    """Aliases that look like ours and are not, `Champion`, with the versions they name."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version as the registry tells it; `created` in seconds since 1970."""

    model: ModelId
    created: float
    tags: Mapping[str, str]
    run: str = ""
    """The run that made it, where the registry knows one."""


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

    def versions(self, language: str) -> Sequence[Version]:
        """Return all versions of a language, the newest first; empty where it has none."""
        ...

    def promote(self, model: ModelId, alias: Alias) -> None:
        """Let the alias name this version, and no other of its language."""
        ...

    def withdraw(self, language: str, alias: Alias) -> None:
        """Let the alias name no version; it may be that it named none."""
        ...

    def split(self, language: str, share: float, *, shadow: bool) -> None:
        """Say what part of the requests the challenger gets; see `Aliases`."""
        ...

    def note(self, model: ModelId, tags: Mapping[str, str]) -> None:
        """Write tags on a version, in place of those of the same names."""
        ...

    def aliases(self) -> Mapping[str, Aliases]:
        """Return language -> what the registry says of it, of all languages, in one call."""
        ...

    def download(self, model: ModelId, into: Path) -> None:
        """Fetch the files of a version into a folder; they are not verified.

        What an earlier attempt left there need not be fetched again. OSError where the disk
        gives up.
        """
        ...

    def nbytes(self, model: ModelId) -> int:
        """Return what `download` would fetch into an empty folder, in bytes."""
        ...

    def subscribe(self, url: str, secret: str) -> None:
        """Ask to be called at an address, with a signature, when an alias moves."""
        ...


def champions(registry: Registry) -> dict[str, Promoted]:
    """Return language -> champion; RegistryUnavailable."""
    return {
        language: named.champion
        for language, named in registry.aliases().items()
        if named.champion is not None
    }
