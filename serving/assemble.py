"""Settings to objects: the one place that builds the path of a request, and tears it down."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from prometheus_client import CONTENT_TYPE_LATEST

from models.artifact import Model
from models.budget import Budget
from models.coming import Coming
from models.identity import Tag
from models.leases import Leases
from models.openers import Models, OpenTokenizer, Vocabularies, Vocabulary
from models.residency import Residency
from models.routes import WatchedRoutes
from models.settings import Settings
from models.store import Store
from serving.arrival import Arrival
from serving.batch import Limits
from serving.cache import Cached, Memory, Shelf
from serving.detect import Detector
from serving.embedded import Embedded
from serving.encoder import Encoder
from serving.keeper import Keeper, Kept
from serving.leased import Leased
from serving.lookout import Lookout
from serving.path import Path
from serving.result import ModelAnswer, ServedChallenger, ServedLanguage, ServedLanguages
from serving.router import Router
from serving.runner import Runners
from serving.scheduler import Scheduler
from serving.shadow import Shadow
from serving.swap import Ground, Swap
from serving.sync_age import sync_age
from serving.telemetry import Levels, Telemetry
from serving.tiered import Tiered
from serving.warmer import Warmer


@dataclass(frozen=True, slots=True)
class Runtime:
    """The path of a request, and what it runs on."""

    store: Store
    path: Path
    router: Router
    swap: Swap
    residency: Residency[Tag, Model]
    tokenizers: Residency[Vocabulary, OpenTokenizer]
    scheduler: Scheduler
    budget: Budget
    cache: Memory
    telemetry: Telemetry
    keeper: Keeper
    shadow: Shadow
    encoder: Encoder
    sync: Embedded | None
    lookout: Lookout
    arrived: Arrival
    metrics_type: ClassVar[str] = CONTENT_TYPE_LATEST
    """Media type of `metrics`."""

    @property
    def ready(self) -> bool:
        """Whether there is something to serve, what is pinned is open, and the rest has come.

        What the sync brings once somebody asks is something to serve, too: else nobody could ask.
        """
        served = bool(self.router.routes or self.router.on_request)
        return self.keeper.ready and served and self.arrived()

    def start(self, pinned: Iterable[str]) -> None:
        """Follow the routes, keep these languages open, and bring models where that is ours."""
        self.keeper.start(pinned)
        self.lookout.start()
        if self.sync:
            self.sync.start()

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
                    challenger=self._challenger(route.challenger),
                    covers=list(route.covers),
                )
                for language, route in sorted(self.router.routes.items())
            ]
        )

    def _challenger(self, tag: Tag | None) -> ServedChallenger | None:
        if tag is None:
            return None
        model = ModelAnswer(name=tag.model.name, version=tag.model.version)
        return ServedChallenger(model=model, state=self.residency.state(tag))

    def metrics(self) -> bytes:
        """Return what happened, and what is so now."""
        routes = self.router.routes.values()
        tags = {tag for route in routes for tag in (route.champion, route.challenger) if tag}
        held = {tag: self.residency.holding(tag) for tag in self.residency.resident}
        levels = Levels(
            memory_limit=self.budget.limit,
            memory_used=self.budget.used,
            resident={tag: holding.nbytes for tag, holding in held.items() if holding},
            waiting={tag: self.scheduler.waiting(tag) for tag in tags},
            cache=self.cache.nbytes,
            swaps=self.swap.unfinished,
            ready=self.ready,
            sync_age=sync_age(self.store, time.time()),
        )
        return self.telemetry.exposition(levels)

    def close(self) -> None:
        """Stop threads and programs, and close models."""
        if self.sync:
            self.sync.stop()
        self.lookout.stop()
        self.keeper.stop()
        self.shadow.close()
        self.scheduler.close()
        self.residency.close()
        self.tokenizers.close()


def assemble(settings: Settings, store: Store) -> Runtime:
    """Build the path over a store; nothing is opened before the first request."""
    telemetry = Telemetry()
    budget = Budget(settings.memory_limit)
    tokenizers = Residency(Vocabularies(), budget, telemetry.tokenizer)
    opener = Models(store, settings.threads, settings.engine)
    residency = Residency(opener, budget, telemetry.model)
    encoder = Encoder(store, tokenizers)
    limits = Limits(settings.batch_tokens, settings.batch_padding)
    scheduler = Scheduler(settings.lanes, limits, residency.hold, telemetry.ran)
    runners = Runners(residency, scheduler, settings.queue_limit)
    warmer = Warmer(encoder, runners)
    ground = Ground(opener.check, residency, warmer)
    swap = Swap(WatchedRoutes(store.routes), ground, telemetry.swapped)
    router = Router(swap.answering, Coming(store))
    shadow = Shadow(swap.answering, residency, encoder, runners, telemetry.shadowed)
    cache = Memory(settings.cache)
    shelf = _shelf(cache, settings)
    score = runners if shelf is None else Cached(runners, shelf, telemetry.cached)
    detector = Detector(settings.min_confidence)
    lookout = Lookout(router, detector.restrict)
    leased = Leased(Leases(store))

    def changed(tags: frozenset[Tag]) -> None:
        leased.retain(tags)
        residency.retain(tags)
        encoder.retain(tags)
        scheduler.forget(tags)
        lookout.look()

    swap.start(changed)
    embedded = settings.sync == "embedded"
    return Runtime(
        store=store,
        path=Path(settings.max_text_chars, detector, router, encoder, score, shadow, telemetry),
        router=router,
        swap=swap,
        residency=residency,
        tokenizers=tokenizers,
        scheduler=scheduler,
        budget=budget,
        cache=cache,
        telemetry=telemetry,
        keeper=Keeper(router, swap, Kept(residency, tokenizers), warmer),
        shadow=shadow,
        encoder=encoder,
        sync=Embedded(telemetry.sync_restarted) if embedded else None,
        lookout=lookout,
        arrived=Arrival(store, settings.sync_wait if embedded else 0),
    )


def _shelf(near: Memory, settings: Settings) -> Shelf | None:
    if not settings.cache_url:
        return near if settings.cache else None
    from serving.redis_shelf import Redis  # noqa: PLC0415  (an extra that few install)

    return Tiered(near, Redis(settings.cache_url))
