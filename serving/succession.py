"""How a version takes over from another: decisions about values, without deeds."""

from typing import Literal

from models.identity import Tag
from models.routes import Route

Way = Literal["cold", "warm", "gap"]
"""At once, for the old one is not in memory; beside it; or after it, for both do not fit."""


def partner(route: Route) -> Tag | None:
    """Return the challenger of a route, where it has anything to do."""
    busy = route.share > 0 or route.shadow
    return route.challenger if busy and route.challenger != route.champion else None


def agreed(now: Route | None, wanted: Route, ready: Tag | None = None) -> Route:
    """Return what of the wanted route may hold: its versions as far as they can answer.

    Those are the versions that answer `now`, and the one that is `ready`; nobody's language is
    given to whoever is wanted.
    """
    if now is None or wanted.champion in {now.champion, ready}:
        champion, covers = wanted.champion, wanted.covers
    else:
        champion, covers = now.champion, now.covers
    challenger = partner(wanted)
    known = {now.challenger if now else None, ready}
    if challenger is None or challenger == champion or challenger not in known:
        return Route(champion=champion, covers=covers)
    return Route(
        champion=champion,
        challenger=challenger,
        share=wanted.share,
        shadow=wanted.shadow,
        covers=covers,
    )


def successor(now: Route | None, wanted: Route) -> Tag | None:
    """Return the version that must be able to answer next; None where all is as wanted."""
    if now is None or now.champion != wanted.champion:
        return wanted.champion
    challenger = partner(wanted)
    return None if challenger == now.challenger else challenger


def way(new: int, old: int | None, room: int) -> Way:
    """Return how a version of `new` bytes comes beside or after one of `old` in so much room.

    `old` is None where it is not in memory.
    """
    if old is None:
        return "cold"
    return "warm" if new + old <= room else "gap"
