"""How long ago the store was brought up to date."""

import json
from pathlib import Path

from models.store import Store


def sync_age(store: Store, now: float) -> float | None:
    """Return the seconds since the last good sync, of a time as `time.time()`.

    None where no sync has said so, or it can't be read.
    """
    place: Path = store.home / "polysent" / "sync.json"
    try:
        return max(0.0, now - float(json.loads(place.read_bytes())["at"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
