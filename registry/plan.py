"""What a sync has to do: decided here, done elsewhere."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from models.identity import ModelId, Tag
from models.routes import Route, Routes
from registry.source import Promoted, State

DIGITS = 8
"""Hex digits of the manifest's digest in a tag."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Champions to fetch, those that are here already, and languages that lose their route."""

    pull: tuple[Promoted, ...] = ()
    keep: tuple[Tag, ...] = ()
    unroute: tuple[str, ...] = ()


def plan(
    champions: Mapping[str, Promoted], stored: Collection[Tag], routed: Collection[str]
) -> Plan:
    """Compare what should be served with what is here; the same input gives the same plan.

    A champion is here when its version is, with the digest that the registry knows. Models that no
    alias names any more are left where they are.
    """
    pull, keep = [], []
    for _, promoted in sorted(champions.items()):
        here = sorted(tag for tag in stored if _is(tag, promoted))
        if here:
            keep.append(here[-1])
        else:
            pull.append(promoted)
    return Plan(tuple(pull), tuple(keep), tuple(sorted(set(routed) - set(champions))))


def routes_after(routes: Routes, unroute: Collection[str], ready: Mapping[str, Route]) -> Routes:
    """Return the routes once `ready` can serve: its languages move, `unroute` goes, others stay.

    What the canary keeps beside a champion (challenger, share, shadow) is kept.
    """
    after = {tag: route for tag, route in routes.languages.items() if tag not in unroute}
    for language, route in ready.items():
        before = after.get(language, route)
        after[language] = before.model_copy(
            update={"champion": route.champion, "covers": route.covers}
        )
    return Routes(languages=after)


def moves(before: Routes, after: Routes) -> list[tuple[ModelId, State]]:
    """Return the champions that serve only before or only after, and what each is now."""
    old, new = (
        {route.champion.model for route in routes.languages.values()} for routes in (before, after)
    )
    won: list[tuple[ModelId, State]] = [(model, "served") for model in sorted(new - old)]
    lost: list[tuple[ModelId, State]] = [(model, "replaced") for model in sorted(old - new)]
    return won + lost


def _is(tag: Tag, promoted: Promoted) -> bool:
    same_digest = promoted.digest is None or promoted.digest.startswith(tag.digest)
    return tag.model == promoted.model and same_digest
