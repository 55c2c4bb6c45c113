"""Which version was champion of a language when the registry last named one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.store import Store
from registry.disk import replace, writing
from registry.source import Aliases


@dataclass(frozen=True, slots=True)
class Named:
    """`named.json` beside the routes: deleted or taken away, the registry shows the same nothing.

    It is not what the routes say: a champion may be deleted before it could be brought.
    """

    store: Store

    def last(self, language: str, default: int) -> int:
        """Return the version that was named last, or the default."""
        return self._read().get(language, default)

    def remember(self, aliases: Mapping[str, Aliases]) -> None:
        """Keep what is named now; StoreFailed."""
        before = self._read()
        named = {tag: each.champion.model.version for tag, each in aliases.items() if each.champion}
        if before != (after := before | named):
            with writing(self._path):
                replace(self._path, json.dumps(after, sort_keys=True).encode())

    @property
    def _path(self) -> Path:
        return self.store.home / "polysent" / "named.json"

    def _read(self) -> dict[str, int]:
        try:
            plain = json.loads(self._path.read_bytes())
            return {str(language): int(version) for language, version in plain.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}
