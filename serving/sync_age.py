"""How long ago the store was brought up to date, and what could not be brought."""

import json
from typing import Any

from models.store import Store


def sync_age(store: Store, now: float) -> float | None:
    """Return the seconds since the last good sync, of a time as `time.time()`.

    None where no sync has said so, or it can't be read.
    """
    try:
        return max(0.0, now - float(_said(store)["at"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def failing(store: Store) -> frozenset[str]:
    """Return the versions that could not be brought, as `sentiment-de:3`."""
    try:
        return frozenset(_said(store)["failing"])
    except (OSError, ValueError, TypeError, KeyError):
        return frozenset()


def _said(store: Store) -> Any:  # noqa: ANN401  (whatever the file holds)
    return json.loads((store.home / "polysent" / "sync.json").read_bytes())
