"""What the registry names and the store has not: told by the sync, asked for by the service."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from models.store import Store


@dataclass(frozen=True, slots=True)
class Coming:
    """`coming.json` beside the routes, and a file in `asked/` for each language that was missed.

    Neither side waits for the other: a wish that nobody reads costs its place in the order alone.
    """

    store: Store

    @property
    def path(self) -> Path:
        """Where the sync says which champions it still has to bring."""
        return self.store.home / "polysent" / "coming.json"

    def versions(self) -> Mapping[str, int]:
        """Return language -> version of the champion; nothing where no sync has said so."""
        try:
            plain = json.loads(self.path.read_bytes())
            return {str(language): int(version) for language, version in plain.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def ask(self, language: str) -> None:
        """Wish that a language which is coming is brought before others."""
        with suppress(OSError):  # on a read-only or full disk it comes in its turn
            self._wishes.mkdir(parents=True, exist_ok=True)
            (self._wishes / language).touch()

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
