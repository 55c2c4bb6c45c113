"""KEDA's cron trigger: so many replicas between two times of a week."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

MINUTE, HOUR, DAY = 60, 3600, 86_400
CRON = re.compile(r"(?P<minute>\d+) (?P<hour>\d+) \* \* (?P<first>[1-7*])(-(?P<last>[1-7]))?")
"""The part of cron that is replayed: a time on some days of the week, Monday is 1."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """`count` replicas from one second of a day to another, on some days; Monday is 0."""

    start: int
    end: int
    days: frozenset[int]
    count: int

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Read a trigger's metadata; ValueError where cron says more than is replayed."""
        (start, days), (end, others) = _read(given["start"]), _read(given["end"])
        if days != others or start >= end:
            message = f"from {given['start']} to {given['end']} is no span within a day"
            raise ValueError(message)
        return cls(start, end, days, int(given["desiredReplicas"]))

    def replicas(self, now: float) -> int:
        """Return what it asks for at a time, in seconds since Monday, 00:00."""
        day, second = divmod(now, DAY)
        return self.count if day % 7 in self.days and self.start <= second < self.end else 0


def _read(cron: str) -> tuple[int, frozenset[int]]:
    """Return the second of the day and the days."""
    found = CRON.fullmatch(cron)
    if found is None:
        message = f"{cron!r} is not replayed: MINUTE HOUR * * DAYS is"
        raise ValueError(message)
    second = int(found["hour"]) * HOUR + int(found["minute"]) * MINUTE
    if found["first"] == "*":
        return second, frozenset(range(7))
    first, last = int(found["first"]), int(found["last"] or found["first"])
    return second, frozenset(day - 1 for day in range(first, last + 1))
