"""What an autoscaler sees of a service, and what it may answer."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """A look at the service; `now` is in seconds since Monday, 00:00."""

    now: float
    replicas: int
    ready: int
    in_flight: float
    """Requests under way, all replicas together, the mean of the last minute."""
    arrivals: float
    """Requests a second, the mean of the last minute."""
    busy: float
    """Share of the ready replicas' cores that works, the mean of the last minute."""


Scaler = Callable[[Load], int]
"""Returns how many replicas there are to be."""


def fixed(replicas: int) -> Scaler:
    """Return one that never changes anything."""
    return lambda _: replicas
