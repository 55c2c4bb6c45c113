"""Settings to objects: the one place that builds the path of a request, and tears it down."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.artifact import Model
from models.budget import Budget
from models.identity import Tag
from models.openers import Models, OpenTokenizer, Vocabularies, Vocabulary
from models.residency import Residency
from models.routes import Route, WatchedRoutes
from models.settings import Settings
from models.store import Store
from serving.batch import Limits
from serving.cache import Cached, Memory, Shelf
from serving.detect import Detector
from serving.encoder import Encoder
from serving.keeper import Keeper
from serving.path import Path
from serving.result import ModelAnswer, ServedLanguage, ServedLanguages
from serving.router import Router
from serving.runner import Runners
from serving.scheduler import Scheduler
from serving.telemetry import Levels, Telemetry
from serving.tiered import Tiered


@dataclass(frozen=True, slots=True)
class Runtime:
    """The path of a request, and what it runs on."""

    path: Path
    router: Router
    residency: Residency[Tag, Model]
    tokenizers: Residency[Vocabulary, OpenTokenizer]
    scheduler: Scheduler
    budget: Budget
    cache: Memory
    telemetry: Telemetry
    keeper: Keeper
    encoder: Encoder

    def languages(self) -> ServedLanguages:
        """Return what is served, by which version, and whether it is open."""
        return ServedLanguages(
            languages=[
                ServedLanguage(
                    language=language,
                    model=ModelAnswer(
                        name=route.champion.model.name, version=route.champion.model.version
                    ),
                    state=self.residency.state(route.champion),
                    covers=list(route.covers),
                )
                for language, route in sorted(self.router.routes.items())
            ]
        )

    def metrics(self) -> bytes:
        """Return what happened, and what is so now."""
        tags = {route.champion for route in self.router.routes.values()}
        held = {tag: self.residency.holding(tag) for tag in self.residency.resident}
        levels = Levels(
            memory_limit=self.budget.limit,
            memory_used=self.budget.used,
            resident={tag: holding.nbytes for tag, holding in held.items() if holding},
            waiting={tag: self.scheduler.waiting(tag) for tag in tags},
            cache=self.cache.nbytes,
        )
        return self.telemetry.exposition(levels)

    def close(self) -> None:
        """Stop threads and close models."""
        self.keeper.stop()
        self.scheduler.close()
        self.residency.close()
        self.tokenizers.close()


def assemble(settings: Settings, store: Store) -> Runtime:
    """Build the path over a store; nothing is opened before the first request."""
    telemetry = Telemetry()
    budget = Budget(settings.memory_limit)
    tokenizers = Residency(Vocabularies(), budget, telemetry.tokenizer)
    residency = Residency(Models(store, settings.threads, settings.engine), budget, telemetry.model)
    encoder = Encoder(store, tokenizers)
    limits = Limits(settings.batch_tokens, settings.batch_padding)
    scheduler = Scheduler(settings.lanes, limits, residency.hold, telemetry.ran)
    runners = Runners(residency, scheduler, settings.queue_limit)
    cache = Memory(settings.cache)
    shelf = _shelf(cache, settings)
    score = runners if shelf is None else Cached(runners, shelf, telemetry.cached)
    detector = Detector(settings.min_confidence)

    def changed(routes: Mapping[str, Route]) -> None:
        champions = frozenset(route.champion for route in routes.values())
        residency.retain(champions)
        encoder.retain(champions)
        scheduler.forget(champions)
        detector.restrict(router.answerable)

    routes = WatchedRoutes(store.routes, changed)
    router = Router(routes)
    routes()
    keeper = Keeper(router, residency, tokenizers, encoder, runners)
    path = Path(settings.max_text_chars, detector, router, encoder, score, telemetry)
    return Runtime(
        path, router, residency, tokenizers, scheduler, budget, cache, telemetry, keeper, encoder
    )


def _shelf(near: Memory, settings: Settings) -> Shelf | None:
    if not settings.cache_url:
        return near if settings.cache else None
    from serving.redis_shelf import Redis  # noqa: PLC0415  (an extra that few install)

    return Tiered(near, Redis(settings.cache_url))
