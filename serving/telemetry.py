"""What happened, as Prometheus metrics; the only module that knows Prometheus."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from models.errors import PolysentError
from models.identity import Tag

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Answer:
    """One text on its way; the tag is known once a model is chosen."""

    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """One attempt to open a model."""

    language: str
    outcome: str
    seconds: float


class Telemetry:
    """Counts in a registry of its own, so that two services in one process do not meet."""

    def __init__(self) -> None:
        """Declare every metric (docs/metrics.md says what each means)."""
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "polysent_answers",
            "Texts answered, by outcome",
            ["language", "version", "outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "polysent_answer_seconds",
            "Time from a text's arrival to its outcome",
            ["language"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._loads = Counter(
            "polysent_loads",
            "Models opened, by outcome",
            ["language", "outcome"],
            registry=self._registry,
        )
        self._load_seconds = Histogram(
            "polysent_load_seconds",
            "Time to open a model",
            ["language"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._resident = Gauge(
            "polysent_resident_models", "Models that are open", registry=self._registry
        )

    @contextmanager
    def answer(self) -> Iterator[Answer]:
        """Record one text's outcome: `ok`, the problem's code, or `left` with its caller."""
        event = Answer()
        started = time.perf_counter()
        outcome = PolysentError.code
        try:
            yield event
            outcome = "ok"
        except PolysentError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = "left"
            raise
        finally:
            language = event.tag.model.language if event.tag else ""
            version = str(event.tag.model.version) if event.tag else ""
            self._answers.labels(language, version, outcome).inc()
            self._seconds.labels(language).observe(time.perf_counter() - started)

    def loaded(self, event: Loaded) -> None:
        """Record one attempt to open a model."""
        self._loads.labels(event.language, event.outcome).inc()
        self._load_seconds.labels(event.language).observe(event.seconds)

    def exposition(self, resident: int) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self._resident.set(resident)
        return generate_latest(self._registry)
