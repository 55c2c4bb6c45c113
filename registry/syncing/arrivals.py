"""Which champions are still to come, and which of them somebody waits for."""

from collections.abc import Collection, Iterable, Mapping

from models.coming import Coming, Missing
from models.identity import ModelId
from models.routes import Routes
from registry.disk import replace, writing
from registry.source import Aliases, Promoted


def missing_champions(
    aliases: Mapping[str, Aliases], routes: Routes, unasked: Collection[str] | None = None
) -> Missing:
    """Return the champions that are not here; those of `unasked` (None is all) come in any case.

    `routes` are those of the look before: the service sees a route a moment after it is written,
    and must not take its language for one that nobody has meanwhile.
    """
    versions = {
        language: named.champion.model.version
        for language, named in aliases.items()
        if named.champion and language not in routes.languages
    }
    anyway = {
        language: version
        for language, version in versions.items()
        if unasked is None or language in unasked
    }
    on_request = {each: versions[each] for each in versions.keys() - anyway.keys()}
    return Missing(unasked=anyway, on_request=on_request)


def tell_coming(coming: Coming, missing: Missing) -> frozenset[ModelId]:
    """Say which champions are not here, and return those that were asked for; StoreFailed.

    Wishes that are fulfilled, or that nothing in the registry can fulfil, are dropped.
    """
    versions, asked = missing.versions, coming.asked()
    with writing(coming.path):
        if missing != coming.missing():
            replace(coming.path, missing.model_dump_json().encode())
        coming.forget(asked - versions.keys())
    return frozenset(ModelId(tag, version) for tag, version in versions.items() if tag in asked)


def asked_first(fetch: Iterable[Promoted], asked: Collection[ModelId]) -> tuple[Promoted, ...]:
    """Return what is missing, what somebody waits for in front."""
    return tuple(sorted(fetch, key=lambda promoted: promoted.model not in asked))
