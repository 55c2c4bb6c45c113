"""What a manifest says of its pods."""

from collections.abc import Iterator
from typing import Any

from tests.deploy.chart import Manifest, Rendered

WORKLOADS = ("StatefulSet", "Deployment", "Pod")


def template(workload: Manifest) -> Manifest:
    """Return the pod that a workload makes."""
    return workload if workload["kind"] == "Pod" else dict(workload["spec"]["template"])


def labels(workload: Manifest) -> dict[str, str]:
    """Return the labels of its pods."""
    return dict(template(workload)["metadata"]["labels"])


def containers(workload: Manifest) -> list[dict[str, Any]]:
    """Return all containers of its pods."""
    spec = template(workload)["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]


def ports(workload: Manifest) -> set[str]:
    """Return the names of the ports of its pods."""
    return {port["name"] for each in containers(workload) for port in each.get("ports", ())}


def named(rendered: Rendered) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each container of a release, and what to call it."""
    for each in rendered.of(*WORKLOADS):
        for container in containers(each):
            yield f"{each['metadata']['name']}/{container['name']}", container


def found(rendered: Rendered, kind: str, name: str) -> Manifest | None:
    """Return the manifest of this kind and name."""
    return next((e for e in rendered.of(kind) if e["metadata"]["name"] == name), None)
