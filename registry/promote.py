"""Saying which version serves."""

from typing import get_args

from models.errors import RegistryUnavailable
from models.identity import ModelId, registered_name
from models.languages import canonical
from registry.source import Alias, Registry

ALIASES: tuple[Alias, ...] = get_args(Alias)


def promote(
    registry: Registry, language: str, version: int | None = None, alias: Alias = "champion"
) -> ModelId:
    """Give a version the alias, the newest one where none is named, and return it.

    ValueError for an alias that is not in ALIASES (they are case-sensitive), RegistryUnavailable
    where there is no such version.
    """
    if alias not in ALIASES:
        message = f"alias {alias!r} is none of {', '.join(ALIASES)}"
        raise ValueError(message)
    tag = canonical(language)
    model = ModelId(tag, version) if version is not None else registry.newest(tag)
    if model is None:
        message = (
            f"{registered_name(tag)} has no version yet; `polysent registry register` adds one"
        )
        raise RegistryUnavailable(message)
    registry.promote(model, alias)
    return model
