"""What happened, as Prometheus metrics; the only module that knows Prometheus."""

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Summary,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.errors import PolysentError
from models.identity import Tag
from models.resource import Evicted, Loaded
from serving.cache import Found
from serving.call import Call
from serving.scheduler import Ran
from serving.shadow import Shadowed
from serving.swap import Swapped

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Answer:
    """One text on its way; the tag is known once a model is chosen."""

    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """What is so at the moment; bytes as measured."""

    memory_limit: int
    memory_used: int
    resident: Mapping[Tag, int] = field(default_factory=dict)
    waiting: Mapping[Tag, int] = field(default_factory=dict)
    cache: int = 0
    swaps: Collection[str] = ()
    """Languages in which a version that is wanted does not answer yet."""
    ready: bool = False
    """Whether the service may be sent requests."""
    sync_age: float | None = None
    """Seconds since the last good sync; None where that is not known."""


class _SyncAge(Collector):
    """A gauge that is not there as long as it is not known."""

    seconds: float | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield it, with a value or none."""
        age = GaugeMetricFamily("polysent_sync_age_seconds", "Seconds since the last good sync")
        if self.seconds is not None:
            age.add_metric([], self.seconds)
        yield age


class Telemetry:
    """Counts in a registry of its own, so that two services in one process do not meet."""

    def __init__(self) -> None:
        """Declare every metric (docs/metrics.md says what each means)."""
        self._registry = CollectorRegistry()
        count, measure = self._counter, self._histogram
        self._answers = count(
            "answers", "Texts by outcome", ["language", "version", "outcome", "urgency"]
        )
        self._seconds = measure(
            "answer_seconds", "A text's arrival to its outcome", ["language", "urgency"]
        )
        self._stages = measure("stage_seconds", "Time in one stage", ["language", "stage"])
        self._loads = count("loads", "Models opened, by outcome", ["language", "outcome"])
        self._load_seconds = measure("load_seconds", "Time to open a model", ["language"])
        self._tokenizers = count("tokenizer_loads", "Tokenizers loaded", ["outcome"])
        self._evictions = count("evictions", "Models closed, by reason", ["language", "reason"])
        self._premature = count("premature_evictions", "Opened again within 60 s", ["language"])
        self._batches = count("batches", "Engine runs, by why they ended", ["language", "reason"])
        self._texts = count("batch_texts", "Texts that the engine computed", ["language"])
        self._tokens = count("batch_tokens", "Tokens of these texts", ["language"])
        self._padding = count("batch_padding_tokens", "Padding beside them", ["language"])
        self._engine = count(
            "engine_seconds", "Core seconds in the engine", ["language", "urgency"]
        )
        self._cache = count("cache_requests", "Texts by what the cache knew", ["outcome"])
        self._swaps = count(
            "swaps", "Versions that took over, or failed to", ["language", "outcome"]
        )
        self._shadow = count("shadow", "Copies for challengers", ["language", "outcome"])
        self._apart = Summary(
            "polysent_shadow_difference",
            "Mean absolute difference of the scores of one text",
            ["language"],
            registry=self._registry,
        )
        self._sync_restarts = count("sync_restarts", "Times the embedded sync had ended", [])
        self._sync_age = _SyncAge()
        self._registry.register(self._sync_age)
        self._gauges = {
            name: Gauge(f"polysent_{name}", meaning, labels, registry=self._registry)
            for name, meaning, labels in (
                ("resident_models", "Models that are open", ()),
                ("resident_bytes", "Bytes that an open model holds", ["language", "version"]),
                ("waiting_texts", "Texts that wait for the engine", ["language"]),
                ("swaps_waiting", "Whether a version that is wanted is not there", ["language"]),
                ("ready", "Whether the service may be sent requests", ()),
                ("memory_used_bytes", "Bytes that are granted from the budget", ()),
                ("memory_limit_bytes", "The budget", ()),
                ("cache_bytes", "Bytes of cached answers", ()),
            )
        }

    @contextmanager
    def answer(self, call: Call) -> Iterator[Answer]:
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
            self._answers.labels(language, version, outcome, call.urgency).inc()
            took = time.perf_counter() - started
            self._seconds.labels(language, call.urgency).observe(took)
            if event.tag:
                call.models.add(event.tag.model)
                for stage, seconds in call.stages.items():
                    self._stages.labels(language, stage).observe(seconds)

    def model(self, event: Loaded | Evicted) -> None:
        """Record that a model was opened or closed, or could not be."""
        language = event.key.model.language if isinstance(event.key, Tag) else ""
        if isinstance(event, Evicted):
            self._evictions.labels(language, event.reason).inc()
            return
        self._loads.labels(language, event.outcome).inc()
        self._load_seconds.labels(language).observe(event.seconds)
        if event.premature:
            self._premature.labels(language).inc()

    def tokenizer(self, event: Loaded | Evicted) -> None:
        """Record that a tokenizer was loaded, or could not be."""
        if isinstance(event, Loaded):
            self._tokenizers.labels(event.outcome).inc()

    def ran(self, event: Ran) -> None:
        """Record one engine run."""
        language = event.tag.model.language
        self._batches.labels(language, event.reason).inc()
        self._texts.labels(language).inc(event.texts)
        self._tokens.labels(language).inc(event.tokens)
        self._padding.labels(language).inc(event.padding)
        self._engine.labels(language, event.urgency).inc(event.seconds)

    def cached(self, found: Found) -> None:
        """Record what the cache knew of a text."""
        self._cache.labels(found).inc()

    def swapped(self, event: Swapped) -> None:
        """Record that a version took over, or could not."""
        self._swaps.labels(event.language, event.outcome).inc()

    def shadowed(self, event: Shadowed) -> None:
        """Record what became of one copy."""
        self._shadow.labels(event.language, event.outcome).inc()
        if event.difference is not None:
            self._apart.labels(event.language).observe(event.difference)

    def sync_restarted(self) -> None:
        """Record that the embedded sync had ended and is started again."""
        self._sync_restarts.inc()

    def exposition(self, levels: Levels) -> bytes:
        """Return all metrics in Prometheus' text format."""
        gauge = self._gauges
        gauge["resident_models"].set(len(levels.resident))
        gauge["ready"].set(levels.ready)
        gauge["memory_used_bytes"].set(levels.memory_used)
        gauge["memory_limit_bytes"].set(levels.memory_limit)
        gauge["cache_bytes"].set(levels.cache)
        gauge["resident_bytes"].clear()
        for tag, nbytes in levels.resident.items():
            version = str(tag.model.version)
            gauge["resident_bytes"].labels(tag.model.language, version).set(nbytes)
        gauge["waiting_texts"].clear()
        for tag, texts in levels.waiting.items():
            gauge["waiting_texts"].labels(tag.model.language).inc(texts)
        gauge["swaps_waiting"].clear()
        for language in levels.swaps:
            gauge["swaps_waiting"].labels(language).set(1)
        self._sync_age.seconds = levels.sync_age
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, labels: Iterable[str]) -> Counter:
        return Counter(f"polysent_{name}", meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str, labels: Iterable[str]) -> Histogram:
        return Histogram(
            f"polysent_{name}", meaning, labels, buckets=SECONDS, registry=self._registry
        )
