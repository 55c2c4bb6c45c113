"""What no schema can say: that the fields of one release fit each other."""

import re
from collections.abc import Iterator

from models.settings import unknown_variables
from tests.deploy import wiring
from tests.deploy.chart import Rendered
from tests.deploy.pods import WORKLOADS, containers, found, named, template

LONGEST_REQUEST = 60
"""Seconds, the default of POLYSENT_REQUEST_SECONDS."""
LONGEST_NAME = 52
"""Characters: a StatefulSet's pods, and the labels made of them, have a few more."""
UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12} | {
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}


def faults(rendered: Rendered) -> Iterator[str]:
    """Yield everything in a release that does not fit together."""
    for rule in (*RULES, *wiring.RULES):
        yield from (f"{rule.__name__}: {fault}" for fault in rule(rendered))


def names(rendered: Rendered) -> Iterator[str]:
    """Find names that stand twice or are too long."""
    seen = [(each["kind"], each["metadata"]["name"]) for each in rendered.manifests]
    yield from (f"{each} twice" for each in set(seen) if seen.count(each) > 1)
    yield from (f"{name} is too long" for _, name in seen if len(name) > LONGEST_NAME)


def scaling(rendered: Rendered) -> Iterator[str]:
    """Find autoscalers that can't scale, or are not alone."""
    scalers = [*rendered.of("HorizontalPodAutoscaler", "ScaledObject")]
    for each in scalers:
        least, most = (
            each["spec"].get(f"{end}Replicas", each["spec"].get(f"{end}ReplicaCount"))
            for end in ("min", "max")
        )
        target = each["spec"]["scaleTargetRef"]
        workload = found(rendered, target["kind"], target["name"])
        if least > most:
            yield f"min {least} > max {most}"
        if workload is None or "replicas" in workload["spec"]:
            yield f"{target['name']} is not there, or its number is set back by each upgrade"
    if len(scalers) > 1:
        yield "two fight over the replicas"


def amounts(rendered: Rendered) -> Iterator[str]:
    """Find containers that ask for nothing, or for more than they may have."""
    for where, container in named(rendered):
        asked, may = (container["resources"].get(each, {}) for each in ("requests", "limits"))
        for name in ("cpu", "memory"):
            if not 0 < amount(asked.get(name, "0")) <= amount(may.get(name, "0")):
                yield f"{where}: {name}"


def amount(quantity: str | float) -> float:
    """Return what a quantity of Kubernetes' says."""
    digits, unit = re.findall(r"^([\d.]+)([A-Za-z]*)$", str(quantity))[0]
    return float(digits) * UNITS[unit]


def probes(rendered: Rendered) -> Iterator[str]:
    """Find probes that ask at no port of the container, and containers without any."""
    for where, container in named(rendered):
        ports = {port["name"] for port in container.get("ports", ())}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if kind in container and container[kind]["httpGet"]["port"] not in ports:
                yield f"{where}: {kind}"
        if ports and "livenessProbe" not in container:
            yield f"{where} has no livenessProbe"


def volumes(rendered: Rendered) -> Iterator[str]:
    """Find mounts without a volume, and volumes without a mount."""
    for each in rendered.of(*WORKLOADS):
        here = template(each)["spec"].get("volumes", ())
        claims = each["spec"].get("volumeClaimTemplates", ())
        made = {one["name"] for one in here} | {one["metadata"]["name"] for one in claims}
        used = {m["name"] for c in containers(each) for m in c.get("volumeMounts", ())}
        yield from made ^ used
        maps = {one["configMap"]["name"] for one in here if "configMap" in one}
        yield from (name for name in maps if found(rendered, "ConfigMap", name) is None)


def leaving(rendered: Rendered) -> Iterator[str]:
    """Find pods that are killed before they have answered."""
    for each in rendered.of("StatefulSet", "Deployment"):
        spec = template(each)["spec"]
        longest = LONGEST_REQUEST if each["kind"] == "StatefulSet" else 0
        for container in spec["containers"]:
            drain = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            if spec["terminationGracePeriodSeconds"] < drain + longest:
                yield each["metadata"]["name"]


def settings(rendered: Rendered) -> Iterator[str]:
    """Find variables that are no settings, stand twice, or would come from Kubernetes."""
    for where, container in named(rendered):
        given = [variable["name"] for variable in container.get("env", ())]
        unknown = unknown_variables(dict.fromkeys(given, ""))
        twice = [name for name in set(given) if given.count(name) > 1]
        yield from (f"{where}: {name}" for name in (*unknown, *twice))
    for each in rendered.of(*WORKLOADS):
        if template(each)["spec"].get("enableServiceLinks", True):
            yield f"{each['metadata']['name']} would be given POLYSENT_PORT"


def images(rendered: Rendered) -> Iterator[str]:
    """Find images without a tag."""
    for where, container in named(rendered):
        if not re.fullmatch(r"[\w./-]+:[\w.-]+", container["image"]):
            yield f"{where}: {container['image']!r}"


def confined(rendered: Rendered) -> Iterator[str]:
    """Find what may do more than it needs."""
    for each in rendered.of(*WORKLOADS):
        spec = template(each)["spec"]
        if spec.get("automountServiceAccountToken", True):
            yield f"{each['metadata']['name']} gets a token"
        if not spec.get("securityContext", {}).get("runAsNonRoot"):
            yield f"{each['metadata']['name']} may run as root"
    for where, container in named(rendered):
        may = container.get("securityContext", {})
        if not may.get("readOnlyRootFilesystem") or may["capabilities"]["drop"] != ["ALL"]:
            yield where


RULES = (names, scaling, amounts, probes, volumes, leaving, settings, images, confined)
