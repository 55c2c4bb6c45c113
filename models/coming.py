"""What the registry names and the store has not: told by the sync, asked for by the service."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.store import Store


class Missing(BaseModel):
    """The champions that are not here: language -> version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unasked: dict[str, int] = Field(default_factory=dict)
    """Those that the sync brings in any case."""
    on_request: dict[str, int] = Field(default_factory=dict)
    """Those that it brings once somebody asks for the language."""

    @property
    def versions(self) -> Mapping[str, int]:
        """Return all of them."""
        return self.unasked | self.on_request


@dataclass(slots=True)
class Coming:
    """`coming.json` beside the routes, and a file in `asked/` for each language that was missed.

    Neither side waits for the other: a wish that nobody reads costs its place in the order alone.
    """

    store: Store
    _missing: Missing = field(default_factory=Missing)
    _seen: tuple[int, int, int] | None = None

    @property
    def path(self) -> Path:
        """Where the sync says which champions are not here."""
        return self.store.home / "polysent" / "coming.json"

    def missing(self) -> Missing:
        """Return what is not here, as it was said last; nothing where no sync has said so."""
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._missing = Missing.model_validate_json(self.path.read_bytes())
                self._seen = seen
        except (OSError, ValidationError):
            self._missing, self._seen = Missing(), None
        return self._missing

    def versions(self) -> Mapping[str, int]:
        """Return language -> version of every champion that is not here."""
        return self.missing().versions

    def ask(self, language: str) -> None:
        """Wish that a language is brought, and before others."""
        wish = self._wishes / language
        with suppress(OSError):  # on a read-only or full disk it comes in its turn, or not at all
            if not wish.exists():
                self._wishes.mkdir(parents=True, exist_ok=True)
                wish.touch()

    def asked(self) -> frozenset[str]:
        """Return the languages that were wished for."""
        try:
            return frozenset(wish.name for wish in self._wishes.iterdir())
        except OSError:
            return frozenset()

    def forget(self, languages: Iterable[str]) -> None:
        """Drop wishes; OSError."""
        for language in languages:
            (self._wishes / language).unlink(missing_ok=True)

    @property
    def _wishes(self) -> Path:
        return self.store.home / "polysent" / "asked"
