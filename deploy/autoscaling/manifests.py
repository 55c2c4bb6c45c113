"""The chart's HorizontalPodAutoscaler and ScaledObject, as something that decides.

KEDA: between 1 and N it is an HPA over the triggers' metrics; between 0 and 1 it decides itself, by
whether a trigger is active and for how long none has been (keda.sh/docs, "Scaling Deployments").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deploy.autoscaling.hpa import Autoscaler, Rules, wanted
from deploy.autoscaling.load import Load, Scaler
from deploy.autoscaling.schedule import Schedule

PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Targets:
    """What one replica may have; None where nobody asked."""

    in_flight: float | None = None
    arrivals: float | None = None
    busy: float | None = None
    """Share of its cores."""

    def replicas(self, load: Load) -> int:
        """Return the largest number that any of them asks for."""
        asked = [0]
        if self.in_flight:
            asked.append(wanted(load.replicas, load.in_flight, self.in_flight))
        if self.arrivals:
            asked.append(wanted(load.replicas, load.arrivals, self.arrivals))
        if self.busy:
            asked.append(wanted(load.replicas, load.busy * load.ready, self.busy))
        return max(asked)


@dataclass(frozen=True, slots=True)
class Hpa:
    """A HorizontalPodAutoscaler."""

    targets: Targets
    autoscaler: Autoscaler

    def __call__(self, load: Load) -> int:
        """Decide, as the controller does every 15 s."""
        return self.autoscaler(load.now, load.replicas, self.targets.replicas(load))


@dataclass(slots=True)
class Keda:
    """A ScaledObject, which may sleep."""

    targets: Targets
    autoscaler: Autoscaler
    least: int
    cooldown: float
    """Seconds without anything active before it sleeps."""
    schedules: tuple[Schedule, ...]
    active: float = field(default=0.0, init=False)

    def __call__(self, load: Load) -> int:
        """Decide: asleep or not, and how many if not."""
        planned = max((each.replicas(load.now) for each in self.schedules), default=0)
        if load.in_flight or load.arrivals or planned:
            self.active = load.now
        elif load.replicas == 0 or (not self.least and load.now - self.active > self.cooldown):
            return self.least
        if load.replicas == 0:
            return max(self.least, 1)
        desired = max(self.targets.replicas(load), planned)
        return self.autoscaler(load.now, load.replicas, desired)


def scaler(manifest: Mapping[str, Any]) -> Scaler:
    """Return what a manifest decides; ValueError where it asks for what is not replayed."""
    kinds: dict[str, Callable[[Mapping[str, Any]], Scaler]] = {
        "HorizontalPodAutoscaler": _hpa,
        "ScaledObject": _keda,
    }
    if manifest["kind"] not in kinds:
        message = f"{manifest['kind']} scales nothing"
        raise ValueError(message)
    return kinds[manifest["kind"]](manifest["spec"])


def _hpa(spec: Mapping[str, Any]) -> Hpa:
    targets = Targets()
    for metric in spec["metrics"]:
        if metric["type"] == "External":
            value = float(metric["external"]["target"]["averageValue"])
            targets = replace(targets, in_flight=value)
        elif metric["type"] == "ContainerResource":
            value = metric["containerResource"]["target"]["averageUtilization"] / PERCENT
            targets = replace(targets, busy=value)
        else:
            message = f"metrics of type {metric['type']} are not replayed"
            raise ValueError(message)
    return Hpa(targets, Autoscaler(Rules.of(spec)))


def _keda(spec: Mapping[str, Any]) -> Keda:
    targets = Targets()
    schedules: list[Schedule] = []
    for trigger in spec["triggers"]:
        given = trigger["metadata"]
        if trigger["type"] == "cron":
            schedules.append(Schedule.of(given))
        elif trigger["type"] == "cpu":
            targets = replace(targets, busy=float(given["value"]) / PERCENT)
        elif "rq_active" in given["query"]:
            targets = replace(targets, in_flight=float(given["threshold"]))
        elif "rq_total" in given["query"]:
            targets = replace(targets, arrivals=float(given["threshold"]))
        else:
            message = f"a query that is not replayed: {given['query']}"
            raise ValueError(message)
    least = spec.get("minReplicaCount", 0)
    behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
    rules = Rules.of(
        {
            "minReplicas": max(least, 1),
            "maxReplicas": spec["maxReplicaCount"],
            "behavior": behavior,
        }
    )
    cooldown = float(spec.get("cooldownPeriod", 300))
    return Keda(targets, Autoscaler(rules), least, cooldown, tuple(schedules))
