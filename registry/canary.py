"""A challenger beside the champion: a part of the requests, or a copy of them."""

import re

from models.errors import RegistryError
from models.identity import ModelId, registered_name
from models.languages import canonical
from registry.promote import eligible, promote, signature
from registry.source import Aliases, Registry

_SHARE = re.compile(r"(?P<number>\d+(\.\d+)?|\.\d+)\s*(?P<percent>%?)")


def share(spelled: str) -> float:
    """Return `10%` or `0.1` as a part of 1; ValueError says what is wrong.

    A bare number of 1 and more is refused: it may be meant either way.
    """
    match = _SHARE.fullmatch(spelled.strip())
    if match is None:
        message = f"{spelled!r} is no share such as 10% or 0.1"
        raise ValueError(message)
    number = float(match["number"])
    if not match["percent"] and number >= 1:
        message = (
            f"{spelled!r} could be a part or a percentage: write {number:g}% or a part below 1"
        )
        raise ValueError(message)
    part = number / 100 if match["percent"] else number
    if part > 1:
        message = f"{spelled!r} is more than all requests"
        raise ValueError(message)
    return part


def canary(
    registry: Registry, language: str, part: float, *, version: int | None = None, shadow: bool
) -> ModelId:
    """Let a version answer `part` of the requests, 0 to 1, or (`shadow`) a copy of the others.

    Without a version it is the present challenger, else the newest one. RegistryError where there
    is no champion beside it or it is the champion itself; see `eligible` for the rest.
    """
    tag = canonical(language)
    named = registry.aliases().get(tag, Aliases())
    if named.champion is None:
        message = f"{registered_name(tag)} has no champion to stand beside; promote one first"
        raise RegistryError(message)
    if version is None and named.challenger is not None:
        version = named.challenger.model.version
    model = eligible(registry, tag, version)
    if model == named.champion.model:
        message = f"{model} is champion already; `--version` names another one"
        raise RegistryError(message)
    registry.split(tag, part, shadow=shadow)
    return promote(registry, tag, model.version, "challenger")


def end(registry: Registry, language: str) -> None:
    """Let the champion answer everything again; it may be that it does."""
    tag = canonical(language)
    challenger = registry.aliases().get(tag, Aliases()).challenger
    if challenger is not None:
        registry.note(challenger.model, signature("none"))
    _withdraw(registry, tag)


def settle(registry: Registry, named: Aliases) -> bool:
    """End a canary whose challenger has become champion, and say whether it did.

    Left alone, it would take its share from the champion after this one.
    """
    won = named.challenger is not None and named.challenger == named.champion
    if won and named.champion is not None:
        _withdraw(registry, named.champion.model.language)
    return won


def _withdraw(registry: Registry, tag: str) -> None:
    registry.split(tag, 0.0, shadow=False)  # first: a share that is left finds its next victim
    registry.withdraw(tag, "challenger")
