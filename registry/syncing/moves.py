"""What became of whom when routes moved, told to the registry and written into the journal."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from models.errors import RegistryUnavailable
from models.identity import ModelId, Tag
from models.routes import Routes
from registry.progress import Say
from registry.source import ALIASES, Alias, Registry, State, Version
from registry.syncing.journal import UNKNOWN, Journal, Move

BY, AT, ALIAS = "promotion.by", "promotion.at", "promotion.alias"
"""Version tags with which a command says who moves an alias, before it does."""
ENDED = "none"
"""What is said instead of an alias by who takes one away."""
RESOLUTION = 1.0
"""Seconds to which the tags tell the time."""
NOW: Mapping[Alias, State] = {"champion": "served", "challenger": "challenging"}


@dataclass(frozen=True, slots=True)
class Change:
    """Another version, or another share, under an alias of a language; None is no version."""

    language: str
    alias: Alias
    before: int
    after: Tag | None
    share: float = 0.0
    since: float = 0.0
    """When the alias moved before, in seconds since 1970; who said so before that said it of
    another move."""


def changes(journal: Journal, routes: Routes) -> list[Change]:
    """Return what the routes say and the journal does not know yet, killed syncs included."""
    known: dict[tuple[str, Alias], Move] = {}
    for move in journal.moves():
        known[move.language, move.alias] = move
    found = []
    for language in sorted({*routes.languages, *(language for language, _ in known)}):
        route = routes.languages.get(language)
        for alias in ALIASES:
            tag: Tag | None = getattr(route, alias, None)
            share = route.share if route and tag and alias == "challenger" else 0.0
            last = known.get((language, alias), Move(0.0, language, alias, 0, 0))
            if (tag.model.version if tag else 0, share) != (last.after, last.share):
                found.append(Change(language, alias, last.after, tag, share, last.at))
    return found


def tell(registry: Registry, change: Change, routes: Routes, say: Say) -> Move:
    """Tag the versions that won and lost, and return the move for the journal.

    A registry that is away is not told; that is no failure of the sync.
    """
    old = ModelId(change.language, change.before)
    told = True
    if change.after and change.after.model.version != change.before:
        told = note(registry, change.after.model, NOW[change.alias], say)
    if told and change.before and old not in set(_serving(routes, change.language)):
        told = note(registry, old, "replaced", say)
    return Move(
        at=time.time(),
        language=change.language,
        alias=change.alias,
        before=change.before,
        after=change.after.model.version if change.after else 0,
        who=_who(registry, change) if told else UNKNOWN,
        evidence=change.after.digest if change.after else "",
        share=change.share,
    )


def note(registry: Registry, model: ModelId, state: State, say: Say, error: str = "") -> bool:
    """Write on a version what became of it here, for the person who promoted it; False if away."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        registry.note(model, {"serving.state": state, "serving.error": error, "serving.at": now})
    except RegistryUnavailable as problem:
        say(f"{model} was not tagged: {problem}")
        return False
    return True


def _serving(routes: Routes, language: str) -> Iterator[ModelId]:
    route = routes.languages.get(language)
    for tag in (route.champion, route.challenger) if route else ():
        if tag is not None:
            yield tag.model


def _who(registry: Registry, change: Change) -> str:
    """Return who said, on the version, that they move this alias; MLflow's page says nothing.

    Who takes an alias away says so on the version that had it.
    """
    number = change.after.model.version if change.after else change.before
    said = change.alias if change.after else ENDED
    with suppress(RegistryUnavailable):
        for version in registry.versions(change.language):
            if version.model.version == number and version.tags.get(ALIAS) == said:
                return version.tags.get(BY, UNKNOWN) if _since(change, version) else UNKNOWN
    return UNKNOWN


def _since(change: Change, version: Version) -> bool:
    try:
        at = datetime.fromisoformat(version.tags.get(AT, "")).timestamp()
    except ValueError:
        return False
    return at + RESOLUTION > change.since
