"""What a sync tells of itself: metrics for Prometheus, a file for the service."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from models.store import Store
from registry.disk import replace, writing
from registry.syncing.fetch import Failure
from registry.syncing.journal import Move


@dataclass(slots=True)
class Telemetry:
    """Counts since the start; `sync.json` beside the routes says when the last look was good."""

    store: Store
    failing: dict[str, str] = field(default_factory=dict)
    """Version -> why it is not here."""
    _registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _looks: Counter = field(init=False)
    _moves: Counter = field(init=False)
    _failures: Counter = field(init=False)
    _bytes: Counter = field(init=False)
    _at: Gauge = field(init=False)

    def __post_init__(self) -> None:
        """Make the metrics."""
        to = self._registry
        self._looks = Counter(
            "polysent_sync_looks", "Looks at the registry, by outcome.", ["outcome"], registry=to
        )
        self._moves = Counter(
            "polysent_alias_moves",
            "Routes that moved to another version.",
            ["language", "alias"],
            registry=to,
        )
        self._failures = Counter(
            "polysent_sync_failures",
            "Versions that could not be brought.",
            ["language", "reason"],
            registry=to,
        )
        self._bytes = Counter(
            "polysent_sync_received_bytes", "Bytes of versions that arrived.", registry=to
        )
        self._at = Gauge(
            "polysent_sync_last_success_timestamp_seconds",
            "When the registry last answered and the routes were made to agree.",
            registry=to,
        )

    def looked(self, outcome: str, moves: Iterable[Move] = ()) -> None:
        """Note a look: "ok", or the code of the error that ended it. StoreFailed."""
        self._looks.labels(outcome).inc()
        for move in moves:
            self._moves.labels(move.language, move.alias).inc()
        if outcome == "ok":
            now = time.time()
            self._at.set(now)
            place = self.store.home / "polysent" / "sync.json"
            with writing(place):
                replace(place, json.dumps({"at": now, "failing": self.failing}).encode())

    def failed(self, failure: Failure) -> None:
        """Note what could not be brought."""
        self.failing[str(failure.model)] = failure.reason
        self._failures.labels(failure.model.language, failure.code).inc()

    def arrived(self, model: str, nbytes: int) -> None:
        """Note what was brought."""
        self.failing.pop(model, None)
        self._bytes.inc(nbytes)

    def metrics(self) -> bytes:
        """Return the exposition."""
        return generate_latest(self._registry)
