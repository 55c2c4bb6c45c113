"""Language to model."""

from collections.abc import Callable, Mapping

from models.errors import LanguageUndetermined, LanguageUnsupported, NothingServed
from models.identity import Tag
from models.languages import MULTILINGUAL, UNDETERMINED, lookup
from models.routes import Route


class Router:
    """Chooses the model of a language: the most specific one, else the multilingual one."""

    def __init__(self, routes: Callable[[], Mapping[str, Route]]) -> None:
        """Take the routes as they are at each call."""
        self._routes = routes

    def choose(self, tag: str) -> Tag:
        """Return the champion that answers a canonical tag (RFC 4647 lookup).

        Raises NothingServed, LanguageUndetermined or LanguageUnsupported.
        """
        routes = self._routes()
        if not routes:
            message = "the model store holds no champion yet; `polysent registry sync` brings it"
            raise NothingServed(message)
        served = lookup(tag, routes) or lookup(MULTILINGUAL, routes)
        if served is None and tag == UNDETERMINED:
            message = "name it in `language`: there is no multilingual model to fall back on"
            raise LanguageUndetermined(message)
        if served is None:
            message = f"{tag!r} has no model; served: {', '.join(sorted(routes))}"
            raise LanguageUnsupported(message)
        return routes[served].champion

    @property
    def routes(self) -> Mapping[str, Route]:
        """The routes as they are now, by language."""
        return self._routes()

    @property
    def answerable(self) -> frozenset[str]:
        """Every language that a model is meant for: one of its own, or the multilingual one's."""
        routes = self._routes()
        covered = {tag for route in routes.values() for tag in route.covers}
        return frozenset(routes) - {MULTILINGUAL} | covered
