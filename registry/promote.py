"""Saying which version serves, and who says so."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from models.errors import GateRefused, RegistryUnavailable
from models.identity import ModelId, registered_name
from models.languages import canonical
from registry.actor import actor
from registry.mlflow.text import DIGEST
from registry.source import ALIASES, Alias, Registry, Version
from registry.syncing.moves import ALIAS, AT, BY

REASONS = "gate.reasons"
"""Version tag with what the gate has against a version; MLflow takes no empty one."""
NO_REASONS = "none"
ALIKE = 0.6
"""How much a word must be like another one to be taken for it, 0 to 1 (difflib)."""


def promote(
    registry: Registry, language: str, version: int | None = None, alias: Alias = "champion"
) -> ModelId:
    """Give a version the alias, the newest one where none is named, and return it.

    Who does it, and when, is written on the version first, where the sync finds it. ValueError for
    an alias that is not in ALIASES (they are case-sensitive), RegistryUnavailable where there is no
    such version.
    """
    if alias not in ALIASES:
        raise ValueError(misspelt(alias))
    tag = canonical(language)
    model = _newest(registry, tag) if version is None else ModelId(tag, version)
    registry.note(model, signature(alias))
    registry.promote(model, alias)
    return model


def eligible(registry: Registry, language: str, version: int | None = None) -> ModelId:
    """Return a version that may be promoted, the newest one where none is named.

    GateRefused says why it may not, RegistryUnavailable that there is none.
    """
    tag = canonical(language)
    model = _newest(registry, tag) if version is None else ModelId(tag, version)
    found = {known.model: known for known in registry.versions(tag)}
    if model not in found:
        there = ", ".join(str(known.version) for known in sorted(found)) or "none"
        message = f"there is no {model}; {registered_name(tag)} has these versions: {there}"
        raise RegistryUnavailable(message)
    if reasons := refusal(found[model].tags):
        raise GateRefused(str(model), reasons)
    return model


def refusal(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return why a version with these tags must not serve; empty where nothing is against it."""
    if DIGEST not in tags:
        return (f"it has no tag {DIGEST}: it was made past the gate, not by `registry register`",)
    told = tags.get(REASONS, NO_REASONS)
    return () if told in {"", NO_REASONS} else tuple(told.split("; "))


def misspelt(alias: str) -> str:
    """Return a sentence on an alias that is none of ours, with the one that may be meant."""
    alike = difflib.get_close_matches(alias.lower(), ALIASES, n=1, cutoff=ALIKE)
    meant = f"; did you mean {alike[0]}?" if alike else ""
    return f"alias {alias!r} is none of {', '.join(ALIASES)}{meant}"


def _newest(registry: Registry, tag: str) -> ModelId:
    versions: Sequence[Version] = registry.versions(tag)
    if not versions:
        message = (
            f"{registered_name(tag)} has no version yet; `polysent registry register` adds one"
        )
        raise RegistryUnavailable(message)
    return versions[0].model


def signature(alias: Alias | Literal["none"]) -> dict[str, str]:
    """Return the version tags that say who gives an alias now, or takes one away (`none`)."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {BY: actor(), AT: now, ALIAS: alias}
