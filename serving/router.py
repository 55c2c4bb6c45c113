"""Language to model."""

from collections.abc import Mapping

from models.coming import Coming
from models.errors import (
    LanguageUndetermined,
    LanguageUnsupported,
    ModelNotFound,
    NothingServed,
    NotYetFetched,
    PolysentError,
)
from models.identity import ModelId, Tag
from models.languages import MULTILINGUAL, UNDETERMINED, lookup, ranges
from models.routes import Route
from serving.split import falls
from serving.sync_age import failing

FAILING_SECONDS = 60.0
"""When to ask again for what could not be fetched; it is tried less and less often."""


class Router:
    """Chooses the model of a language: the most specific one, else the multilingual one."""

    def __init__(self, routes: Mapping[str, Route], coming: Coming) -> None:
        """Take who answers, by language; it changes as versions take over. And what is to come."""
        self.routes = routes
        self._coming = coming

    def choose(self, tag: str, key: str = "", version: int | None = None) -> Tag:
        """Return the model that answers a canonical tag (RFC 4647 lookup).

        That is the version that is named, else the challenger for the keys that are in its share,
        else the champion. A more specific one that is to come is asked for. Raises NothingServed,
        LanguageUndetermined, LanguageUnsupported, NotYetFetched where what is to come is all there
        is, or ModelNotFound where the version that is named does not answer.
        """
        served = lookup(tag, self.routes) or lookup(MULTILINGUAL, self.routes)
        if served is None:
            raise self._unserved(tag)
        if served != tag:
            self._ask_for_better(tag)
        route = self.routes[served]
        if version is not None:
            return _named(route, version)
        if route.challenger is None or not key or not falls(served, key, route.share):
            return route.champion
        return route.challenger

    @property
    def answerable(self) -> frozenset[str]:
        """Every language that a model is meant for, here or to come.

        It is one of its own, or the multilingual one's.
        """
        covered = {tag for route in self.routes.values() for tag in route.covers}
        return frozenset({*self.routes, *self._coming.versions(), *covered} - {MULTILINGUAL})

    @property
    def on_request(self) -> bool:
        """Whether the sync would bring something that nobody has asked for."""
        return bool(self._coming.missing().on_request)

    def _ask_for_better(self, tag: str) -> None:
        versions = self._coming.versions()
        best = next((each for each in ranges(tag) if each in self.routes or each in versions), None)
        if best is not None and best not in self.routes:
            self._coming.ask(best)

    def _unserved(self, tag: str) -> PolysentError:
        versions = self._coming.versions()
        if language := lookup(tag, versions) or lookup(MULTILINGUAL, versions):
            self._coming.ask(language)
            model = ModelId(language, versions[language])
            if str(model) in failing(self._coming.store):
                message = f"{model} could not be fetched from the registry; it is tried again"
                return NotYetFetched(message, retry_after=FAILING_SECONDS)
            return NotYetFetched(f"{model} is fetched from the registry")
        if not self.routes:
            message = "the model store holds no champion yet; `polysent registry sync` brings it"
            return NothingServed(message)
        if tag == UNDETERMINED:
            message = "name it in `language`: there is no multilingual model to fall back on"
            return LanguageUndetermined(message)
        message = f"{tag!r} has no model; served: {', '.join(sorted(self.routes))}"
        return LanguageUnsupported(message)


def _named(route: Route, version: int) -> Tag:
    for tag in (route.champion, route.challenger):
        if tag is not None and tag.model.version == version:
            return tag
    message = f"version {version} of {route.champion.model.name} does not answer any more"
    raise ModelNotFound(message)
