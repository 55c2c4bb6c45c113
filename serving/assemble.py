"""Settings to objects: the one place that builds the path of a request, and tears it down."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from models.artifact import Artifact, open_artifact
from models.identity import Tag
from models.residency import Residency
from models.routes import Route, WatchedRoutes
from models.settings import Settings
from models.store import Store
from models.tokens import Tokenizers
from serving.detect import Detector
from serving.path import Path
from serving.result import ModelAnswer, ServedLanguage, ServedLanguages
from serving.router import Router
from serving.runner import Limits, Runners
from serving.telemetry import Loaded, Telemetry


@dataclass(frozen=True, slots=True)
class Runtime:
    """The path of a request, and what it runs on."""

    path: Path
    router: Router
    runners: Runners
    residency: Residency
    telemetry: Telemetry

    def languages(self) -> ServedLanguages:
        """Return what is served, by which version, and whether it is open."""
        return ServedLanguages(
            languages=[
                ServedLanguage(
                    language=language,
                    model=ModelAnswer(
                        name=route.champion.model.name, version=route.champion.model.version
                    ),
                    state="resident" if route.champion in self.residency.resident else "cold",
                    covers=list(route.covers),
                )
                for language, route in sorted(self.router.routes.items())
            ]
        )

    def close(self) -> None:
        """Stop threads and close models."""
        self.runners.close()
        self.residency.close()


def assemble(settings: Settings, store: Store) -> Runtime:
    """Build the path over a store; nothing is opened before the first request."""
    telemetry = Telemetry()
    tokenizers = Tokenizers()

    def open_model(tag: Tag) -> Artifact:
        started = time.perf_counter()
        outcome = "failed"
        try:
            artifact = open_artifact(store.path(tag), tokenizers, settings.threads)
            outcome = "ok"
        finally:
            seconds = time.perf_counter() - started
            telemetry.loaded(Loaded(tag.model.language, outcome, seconds))
        return artifact

    detector = Detector(settings.min_confidence)
    residency = Residency(open_model)

    def changed(routes: Mapping[str, Route]) -> None:
        residency.retain({route.champion for route in routes.values()})
        detector.restrict(router.answerable)

    routes = WatchedRoutes(store.routes, changed)
    router = Router(routes)
    routes()
    limits = Limits(queue=settings.queue_limit, tokens=settings.batch_tokens)
    runners = Runners(residency, limits)
    path = Path(
        settings.max_text_chars, detector, router, runners.encode, runners.scores, telemetry
    )
    return Runtime(path, router, runners, residency, telemetry)
