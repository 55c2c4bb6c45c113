"""What Kubernetes' HorizontalPodAutoscaler (autoscaling/v2) would decide, without a cluster.

Its rules as the controller has them: tolerance, stabilization windows, policies of pods and
percent over a period. tests/deploy/test_hpa.py holds the controller's own table of cases.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

TOLERANCE = 0.1
"""Ratios of usage to target nearer to 1 change nothing."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How many pods, or percent of them, may come or go within a period of seconds."""

    kind: Literal["Pods", "Percent"]
    value: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Behavior:
    """How one direction is slowed; `stabilization` is in seconds."""

    stabilization: int
    policies: tuple[Policy, ...]
    select: Literal["Max", "Min", "Disabled"] = "Max"

    @classmethod
    def of(cls, given: Mapping[str, Any], default: Self) -> Self:
        """Read `scaleUp` or `scaleDown`; what is not said is as in the default."""
        policies = tuple(
            Policy(each["type"], each["value"], each["periodSeconds"])
            for each in given.get("policies", ())
        )
        return cls(
            given.get("stabilizationWindowSeconds", default.stabilization),
            policies or default.policies,
            given.get("selectPolicy", "Max"),
        )


UP = Behavior(0, (Policy("Pods", 4, 15), Policy("Percent", 100, 15)))
DOWN = Behavior(300, (Policy("Percent", 100, 15),))


@dataclass(frozen=True, slots=True)
class Rules:
    """The part of an HPA's `spec` that decides; replicas."""

    least: int
    most: int
    up: Behavior = UP
    down: Behavior = DOWN

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Self:
        """Read the `spec` of a manifest."""
        behavior = spec.get("behavior", {})
        return cls(
            spec.get("minReplicas", 1),
            spec["maxReplicas"],
            Behavior.of(behavior.get("scaleUp", {}), UP),
            Behavior.of(behavior.get("scaleDown", {}), DOWN),
        )


def wanted(current: int, usage: float, target: float) -> int:
    """Return the replicas for a usage, all pods together, of which each may have `target`."""
    if current and abs(usage / (target * current) - 1) <= TOLERANCE:
        return current
    return math.ceil(usage / target)


@dataclass(slots=True)
class Autoscaler:
    """Decides one after the other, and remembers what it has wished and done; time in seconds."""

    rules: Rules
    wished: list[tuple[float, int]] = field(default_factory=list)
    added: list[tuple[float, int]] = field(default_factory=list)
    removed: list[tuple[float, int]] = field(default_factory=list)

    def __call__(self, now: float, current: int, desired: int) -> int:
        """Return how many replicas there are to be."""
        rules = self.rules
        desired = self._stabilized(now, current, desired)
        if desired > current:
            limit = max(current, self._limit(now, current, rules.up, upwards=True))
            after = min(desired, rules.most, limit)
        elif desired < current:
            limit = min(current, self._limit(now, current, rules.down, upwards=False))
            after = max(desired, rules.least, limit)
        else:
            after = desired
        after = min(max(after, rules.least), rules.most)
        if after != current:
            (self.added if after > current else self.removed).append((now, abs(after - current)))
        return after

    def _stabilized(self, now: float, current: int, desired: int) -> int:
        """Return the nearest to `current` of all that was wished within each window."""
        longest = max(self.rules.up.stabilization, self.rules.down.stabilization)
        self.wished = [each for each in self.wished if each[0] > now - longest]
        self.wished.append((now, desired))
        up = min(self._within(now, self.rules.up.stabilization, desired))
        down = max(self._within(now, self.rules.down.stabilization, desired))
        return min(max(current, up), down)

    def _within(self, now: float, seconds: int, desired: int) -> list[int]:
        return [desired, *(count for at, count in self.wished if at > now - seconds)]

    def _limit(self, now: float, current: int, behavior: Behavior, *, upwards: bool) -> int:
        """Return how far the policies let it go."""
        if behavior.select == "Disabled":
            return current
        limits = [
            self._allowed(now, current, policy, upwards=upwards) for policy in behavior.policies
        ]
        furthest = upwards == (behavior.select == "Max")
        return max(limits) if furthest else min(limits)

    def _allowed(self, now: float, current: int, policy: Policy, *, upwards: bool) -> int:
        began = current - _sum(self.added, now - policy.seconds)
        began += _sum(self.removed, now - policy.seconds)
        change = policy.value if policy.kind == "Pods" else began * policy.value / 100
        return math.ceil(began + change) if upwards else int(began - change)


def _sum(events: list[tuple[float, int]], since: float) -> int:
    return sum(change for at, change in events if at > since)
