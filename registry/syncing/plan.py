"""What a sync has to do: decided here, done elsewhere."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from models.identity import ModelId, Tag
from models.routes import Route, Routes
from registry.source import Aliases, Promoted

DIGITS = 8
"""Hex digits of the manifest's digest in a tag."""

Covers = Callable[[Tag], tuple[str, ...]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """The same aliases, store and routes give the same plan.

    `fetch` is what is missing: champions first, then challengers, then what may be promoted next.
    `here` is what is wanted and in the store. `routes` names only what is here.
    """

    fetch: tuple[Promoted, ...]
    here: tuple[Tag, ...]
    routes: Routes


def plan(
    aliases: Mapping[str, Aliases],
    stored: Collection[Tag],
    before: Routes,
    covers: Covers,
    lost: Collection[str] = (),
) -> Plan:
    """Compare what should be served with what is here.

    A language whose new champion is not here keeps its route. One whose alias was taken away loses
    it; one whose version was deleted under the alias (`lost`) keeps it: a slip of the hand in the
    registry must not end a service.
    """
    by_model: dict[ModelId, list[Tag]] = {}
    for tag in sorted(stored):
        by_model.setdefault(tag.model, []).append(tag)

    def find(promoted: Promoted | None) -> Tag | None:
        known = by_model.get(promoted.model, []) if promoted else []
        return next((tag for tag in reversed(known) if promoted and is_of(tag, promoted)), None)

    wanted = list(_wanted(aliases))
    found = [find(promoted) for promoted in wanted]
    after: dict[str, Route] = {}
    for language in sorted({*aliases, *before.languages}):
        named, old = aliases.get(language, Aliases()), before.languages.get(language)
        champion = find(named.champion) or (old.champion if old else None)
        if champion is None or (named.champion is None and language not in lost):
            continue
        challenger = find(named.challenger)
        if challenger is None and named.challenger and old:  # the share was meant for another one
            challenger = old.challenger
            named = replace(named, share=old.share, shadow=old.shadow)
        known = old.covers if old and champion == old.champion else covers(champion)
        after[language] = _route(champion, challenger, named, known)
    missing = [promoted for promoted, tag in zip(wanted, found, strict=True) if tag is None]
    return Plan(_each_once(missing), _each_once(filter(None, found)), Routes(languages=after))


def only(todo: Plan, languages: Collection[str]) -> Plan:
    """Fetch no more than these languages need, and those that are served."""
    wanted = {*languages, *todo.routes.languages}
    fetch = tuple(promoted for promoted in todo.fetch if promoted.model.language in wanted)
    return replace(todo, fetch=fetch)


def _route(champion: Tag, challenger: Tag | None, named: Aliases, covers: tuple[str, ...]) -> Route:
    if challenger is None or challenger == champion:
        return Route(champion=champion, covers=covers)
    return Route(
        champion=champion,
        challenger=challenger,
        share=named.share,
        shadow=named.shadow,
        covers=covers,
    )


def _wanted(aliases: Mapping[str, Aliases]) -> Iterable[Promoted]:
    ordered = [aliases[language] for language in sorted(aliases)]
    for choose in (_champion, _challenger, _next):
        yield from filter(None, map(choose, ordered))


def _champion(named: Aliases) -> Promoted | None:
    return named.champion


def _challenger(named: Aliases) -> Promoted | None:
    return named.challenger if named.champion else None


def _next(named: Aliases) -> Promoted | None:
    """Return what may be promoted next: it has passed the gate after the champion has."""
    newest, champion = named.newest, named.champion
    if newest is None or champion is None:
        return newest
    return newest if newest.model.version > champion.model.version else None


def is_of(tag: Tag, promoted: Promoted) -> bool:
    """Say whether a stored model is that version, with the digest that the registry knows."""
    same_digest = promoted.digest is None or promoted.digest.startswith(tag.digest)
    return tag.model == promoted.model and same_digest


def removable(
    stored: Collection[Tag], keep: Collection[Tag], previous: Collection[ModelId]
) -> tuple[Tag, ...]:
    """Return what no route, alias or step back needs any more."""
    return tuple(sorted(tag for tag in stored if tag not in keep and tag.model not in previous))


def _each_once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
