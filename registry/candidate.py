"""A checkpoint that is to become a version, and how it is judged."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from registry.card import Card
from registry.export.ladder import LADDER
from registry.gate.evidence import Evidence
from registry.gate.floor import FLOOR, Floor


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is registered, on which texts it is compared, and what it must reach."""

    source: str
    """A local directory, or a hub id where there is a hub."""
    card: Card
    evidence: Evidence
    labels: Mapping[str, str] = field(default_factory=dict)
    """Our name of each label that does not say what it means."""
    floor: Floor = FLOOR
    threads: int = 1
    """Cores that the gate's runs of the export may use."""
    rungs: tuple[str, ...] | None = None
    """Forms that it may be exported in; the whole ladder where nobody says."""

    @property
    def ladder(self) -> tuple[str, ...]:
        """The rungs that are worth a trial.

        Too few texts refuse each of them alike: then one is enough to say so.
        """
        rungs = self.rungs or LADDER
        return rungs if len(self.evidence.texts) >= self.floor.texts else rungs[:1]

    @property
    def question(self) -> str:
        """A digest of all that decides which rung is chosen."""
        parts = [self.evidence.digest, asdict(self.floor), self.ladder]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
