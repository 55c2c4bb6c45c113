"""What moved, when, from where to where: MLflow keeps no history of aliases, this does."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from models.disk import flush
from models.store import Store
from registry.source import Alias

UNKNOWN = ""
"""Who moved it, where MLflow's page or API was used: MLflow does not say."""


@dataclass(frozen=True, slots=True)
class Move:
    """One route of one language went from a version to another; 0 is none.

    `at` is in seconds since 1970, `who` is who moved the alias, `evidence` the digest of the
    manifest (and with it of the gate's certificate) that the new version is served by.
    """

    at: float
    language: str
    alias: Alias
    before: int
    after: int
    who: str = UNKNOWN
    evidence: str = ""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Journal:
    """The moves that a store has seen, one JSON object a line, only ever appended to."""

    path: Path

    @classmethod
    def of(cls, store: Store) -> "Journal":
        """Return the journal of a store."""
        return cls(store.home / "polysent" / "journal.jsonl")

    def append(self, move: Move) -> None:
        """Add a move; it is on the disk when this returns. OSError where it can't be.

        What a kill left of the last line is ended first.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(move), sort_keys=True)
        with self.path.open("ab+") as file:
            torn = file.tell() and self._last_byte() != b"\n"
            file.write((("\n" if torn else "") + line + "\n").encode())
        flush(self.path)

    def moves(self, language: str | None = None) -> Iterator[Move]:
        """Yield the moves, oldest first, of one language or of all; torn lines are left out."""
        try:
            lines = self.path.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            move = _move(line)
            if move is not None and language in (None, move.language):
                yield move

    def _last_byte(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1)


def _move(line: str) -> Move | None:
    try:
        return Move(**json.loads(line))
    except (ValueError, TypeError):
        return None
