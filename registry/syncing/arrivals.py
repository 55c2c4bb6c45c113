"""Which champions are still to come, and which of them somebody waits for."""

import json
from collections.abc import Collection, Iterable, Mapping

from models.coming import Coming
from models.identity import ModelId
from models.routes import Routes
from registry.disk import replace, writing
from registry.source import Aliases, Promoted


def tell_coming(
    coming: Coming, aliases: Mapping[str, Aliases], routes: Routes
) -> frozenset[ModelId]:
    """Say which champions are not here, and return those that were asked for; StoreFailed.

    `routes` are those of the look before: the service sees a route a moment after it is written,
    and must not take its language for one that nobody has meanwhile. Wishes that are fulfilled, or
    that nothing in the registry can fulfil, are dropped.
    """
    versions = {
        language: named.champion.model.version
        for language, named in aliases.items()
        if named.champion and language not in routes.languages
    }
    asked = coming.asked()
    with writing(coming.path):
        if versions != coming.versions():
            replace(coming.path, json.dumps(versions, sort_keys=True).encode())
        coming.forget(asked - versions.keys())
    return frozenset(ModelId(tag, version) for tag, version in versions.items() if tag in asked)


def asked_first(fetch: Iterable[Promoted], asked: Collection[ModelId]) -> tuple[Promoted, ...]:
    """Return what is missing, what somebody waits for in front."""
    return tuple(sorted(fetch, key=lambda promoted: promoted.model not in asked))
