"""What no schema can say: that the manifests of one release lead to each other."""

import re
from collections.abc import Callable, Iterator

import yaml

from tests.deploy.chart import Manifest, Rendered
from tests.deploy.pods import WORKLOADS, found, labels, ports, template

FROM_OUTSIDE = {"polysent-keys", "polysent-mlflow", "polysent-webhooks"}
"""Secrets that an operator makes."""
SELECTORS: dict[str, Callable[[Manifest], dict[str, str]]] = {
    "Service": lambda spec: dict(spec["selector"]),
    "NetworkPolicy": lambda spec: dict(spec["podSelector"]["matchLabels"]),
    "PodDisruptionBudget": lambda spec: dict(spec["selector"]["matchLabels"]),
    "ServiceMonitor": lambda spec: dict(spec["selector"]["matchLabels"]),
    "StatefulSet": lambda spec: dict(spec["selector"]["matchLabels"]),
    "Deployment": lambda spec: dict(spec["selector"]["matchLabels"]),
}
LABELS = 3
"""How many make a pod ours: name, instance, component."""


def selectors(rendered: Rendered) -> Iterator[str]:
    """Find who selects nothing, or what is not its own."""
    pods = [labels(each) for each in rendered.of(*WORKLOADS)]
    services = [each["metadata"]["labels"] for each in rendered.of("Service")]
    for each in rendered.of(*SELECTORS):
        wanted = SELECTORS[each["kind"]](each["spec"])
        among = services if each["kind"] == "ServiceMonitor" else pods
        if len(wanted) < LABELS or not any(wanted.items() <= one.items() for one in among):
            yield f"{each['kind']} {each['metadata']['name']} selects {wanted}"


def spread(rendered: Rendered) -> Iterator[str]:
    """Find workloads that are spread over pods of others."""
    for each in rendered.of("StatefulSet", "Deployment"):
        for rule in template(each)["spec"]["topologySpreadConstraints"]:
            if not rule["labelSelector"]["matchLabels"].items() <= labels(each).items():
                yield each["metadata"]["name"]


def service_ports(rendered: Rendered) -> Iterator[str]:
    """Find ports of services that no pod has."""
    for service in rendered.of("Service"):
        selector = service["spec"]["selector"]
        behind = [
            ports(e) for e in rendered.of(*WORKLOADS) if selector.items() <= labels(e).items()
        ]
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in set().union(*behind):
                yield f"{service['metadata']['name']}: {port['targetPort']}"


def policy_ports(rendered: Rendered) -> Iterator[str]:
    """Find ports of network policies that no pod has."""
    offered = set().union(*(ports(each) for each in rendered.of(*WORKLOADS)))
    for each in rendered.of("NetworkPolicy"):
        rules = [*each["spec"]["ingress"], *each["spec"]["egress"]]
        asked = {port["port"] for rule in rules for port in rule["ports"]}
        yield from (port for port in asked - offered if isinstance(port, str))


def monitored_ports(rendered: Rendered) -> Iterator[str]:
    """Find what Prometheus would ask where no service has a port."""
    for monitor in rendered.of("ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        offered = {
            port["name"]
            for service in rendered.of("Service")
            if wanted <= service["metadata"]["labels"].items()
            for port in service["spec"]["ports"]
        }
        yield from {each["port"] for each in monitor["spec"]["endpoints"]} - offered


def draining(rendered: Rendered) -> Iterator[str]:
    """Find connections that outlive the balancer, which would break off their requests."""
    public = _envoy(rendered)["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    longest = public["common_http_protocol_options"].get("max_connection_duration", "inf")
    (container,) = template(rendered.one("Deployment", "-balancer"))["spec"]["containers"]
    stays = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    if not public.get("http1_safe_max_connection_duration") or float(longest.rstrip("s")) >= stays:
        yield f"connections of {longest}, where Envoy ends after {stays}s"


def accounts(rendered: Rendered) -> Iterator[str]:
    """Find pods of an account, and sets of a service, that are not there."""
    for each in rendered.of(*WORKLOADS):
        account = template(each)["spec"]["serviceAccountName"]
        if found(rendered, "ServiceAccount", account) is None:
            yield account
    for each in rendered.of("StatefulSet"):
        service = found(rendered, "Service", each["spec"]["serviceName"])
        if service is None or service["spec"].get("clusterIP") != "None":
            yield f"no headless Service {each['spec']['serviceName']}"


def secrets(rendered: Rendered) -> Iterator[str]:
    """Find secrets that nobody makes."""
    asked = re.findall(r"'secret(?:Name|KeyRef)': (?:\{'name': )?'([^']*)'", str(rendered))
    yield from set(asked) - FROM_OUTSIDE


def entrances(rendered: Rendered) -> Iterator[str]:
    """Find ways in that lead nowhere."""
    for route in rendered.of("Ingress", "HTTPRoute"):
        for name in re.findall(r"'(?:service|backendRefs)': [\[{]+'name': '([^']*)'", str(route)):
            if found(rendered, "Service", name) is None:
                yield f"{route['kind']} leads to {name}"


def balancing(rendered: Rendered) -> Iterator[str]:
    """Find replicas that the balancer does not know."""
    replicas = rendered.one("StatefulSet")
    service = replicas["spec"]["serviceName"]
    names = [f"{replicas['metadata']['name']}-{n}" for n in range(_most(rendered, replicas))]
    clusters = {each["name"]: each for each in _envoy(rendered)["clusters"]}
    for name in ("by_language", "anywhere"):
        endpoints = clusters[name]["load_assignment"]["endpoints"][0]["lb_endpoints"]
        hosts = [e["endpoint"]["address"]["socket_address"]["address"] for e in endpoints]
        if [host.partition(".")[0] for host in hosts] != names:
            yield f"{name} does not know the replicas {names}"
        yield from (host for host in hosts if f".{service}." not in host)


def _envoy(rendered: Rendered) -> Manifest:
    configuration = yaml.safe_load(rendered.one("ConfigMap", "-balancer")["data"]["envoy.yaml"])
    return dict(configuration["static_resources"])


def _most(rendered: Rendered, replicas: Manifest) -> int:
    for each in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        return int(each["spec"].get("maxReplicas", each["spec"].get("maxReplicaCount")))
    return int(replicas["spec"]["replicas"])


RULES = (
    selectors,
    spread,
    service_ports,
    policy_ports,
    monitored_ports,
    draining,
    accounts,
    secrets,
    entrances,
    balancing,
)
