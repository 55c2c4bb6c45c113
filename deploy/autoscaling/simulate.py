"""A service under traffic, second by second: requests, lanes, replicas that come and go.

Each request takes the lane that is free first, which is what a balancer by least requests comes
to; what a replica still has to open is in its start. Arrivals are Poisson, from a seed.
"""

import heapq
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from deploy.autoscaling.load import Load, Scaler

SYNC = 15
"""Seconds between two decisions, as the controller and KEDA's HPA have them."""
WINDOW = 60
"""Seconds over which the chart's queries take their mean."""


@dataclass(frozen=True, slots=True)
class Replica:
    """What one replica can do; seconds."""

    lanes: int
    seconds: float
    """One request, on one lane."""
    start: float
    """From the decision until it is ready."""
    limit: int
    """Requests that it takes in before it refuses."""


@dataclass(slots=True)
class Outcome:
    """What became of the traffic."""

    answered: list[float] = field(default_factory=list)
    """Seconds that each answered request took."""
    refused: int = 0
    """Requests that were too many."""
    unserved: int = 0
    """Requests that came while no replica was ready."""
    replicas: list[int] = field(default_factory=list)
    """So many in each second, ready or not."""

    def latency(self, share: float) -> float:
        """Return the seconds within which such a share was answered; nan where none was."""
        return float(np.quantile(self.answered, share)) if self.answered else math.nan

    @property
    def hours(self) -> float:
        """Replica-hours that are paid for."""
        return sum(self.replicas) / 3600


@dataclass(slots=True)
class _Service:
    replica: Replica
    outcome: Outcome
    free: list[float]
    coming: deque[float] = field(default_factory=deque)
    """When each replica that starts will be ready."""
    under_way: deque[float] = field(default_factory=deque)
    """When each request ends, the first one first."""

    @property
    def ready(self) -> int:
        return len(self.free) // self.replica.lanes

    @property
    def replicas(self) -> int:
        return self.ready + len(self.coming)

    def scale(self, now: float, count: int) -> None:
        """Begin to start replicas, or take some away: what they have, they finish."""
        while self.replicas < count:
            self.coming.append(now + self.replica.start)
        while self.replicas > count and self.coming:
            self.coming.pop()
        if self.replicas > count:
            self.free = sorted(self.free)[: count * self.replica.lanes]

    def arrive(self, at: float) -> None:
        """Answer a request, or refuse it."""
        while self.coming and self.coming[0] <= at:
            ready = self.coming.popleft()
            for _ in range(self.replica.lanes):
                heapq.heappush(self.free, ready)
        if not self.free:
            self.outcome.unserved += 1
        elif self.in_flight(at) >= self.ready * self.replica.limit:
            self.outcome.refused += 1
        else:
            ends = max(at, self.free[0]) + self.replica.seconds
            heapq.heapreplace(self.free, ends)
            self.under_way.append(ends)
            self.outcome.answered.append(ends - at)

    def in_flight(self, now: float) -> int:
        """Return how many requests have come and are not answered."""
        while self.under_way and self.under_way[0] <= now:
            self.under_way.popleft()
        return len(self.under_way)


def simulate(
    rates: Iterable[float], replica: Replica, scaler: Scaler, first: int, seed: int = 0
) -> Outcome:
    """Return what becomes of so many requests a second; `first` replicas are ready at once."""
    chance = np.random.default_rng(seed)
    outcome = Outcome()
    service = _Service(replica, outcome, [0.0] * (first * replica.lanes))
    seen: deque[tuple[int, int, float]] = deque(maxlen=WINDOW)
    for second, rate in enumerate(rates):
        times = np.sort(chance.random(chance.poisson(rate)))
        for time in times:
            service.arrive(second + float(time))
        waiting = service.in_flight(second + 1)
        lanes = max(len(service.free), 1)
        seen.append((len(times), waiting, min(1.0, len(times) * replica.seconds / lanes)))
        outcome.replicas.append(service.replicas)
        if second % SYNC == SYNC - 1:
            arrived, waited, busy = (float(np.mean(each)) for each in zip(*seen, strict=True))
            load = Load(second + 1, service.replicas, service.ready, waited, arrived, busy)
            service.scale(second + 1, scaler(load))
    return outcome
