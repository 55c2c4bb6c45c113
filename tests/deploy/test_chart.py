import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import helm_python
import pytest
import yaml
from helm_python.errors import HelmError

from tests.deploy import crossed, validation
from tests.deploy.balancers import refused
from tests.deploy.chart import CHARTS, RELEASE, VERSIONS, Chart
from tests.deploy.typos import TYPOS, seeded

SETS = Chart().sets
ENVOY = CHARTS / "polysent" / "files" / "envoy.yaml"
ADAPTER = "prometheus-adapter.yaml"
POLICIES = "checkov.yaml"
ROOT = CHARTS.parents[1]
OBSERVABILITY = ROOT / "deploy" / "observability"
PAGE = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")


def faults(chart: Chart, *versions: str) -> Iterator[str]:
    """Yield what is wrong with a chart, with each set of values and in each version."""
    for name, values in chart.sets.items():
        yield from (f"{name}: {fault}" for fault in chart.lint(values))
        try:
            rendered = chart.render(values)
        except (HelmError, yaml.YAMLError) as error:
            yield f"{name}: {error}"
            continue
        yield from (f"{name}: {fault}" for fault in crossed.faults(rendered))
        for manifest, version in product(rendered.manifests, versions):
            yield from (
                f"{name}, {version}: {fault}" for fault in validation.faults(manifest, version)
            )
        if name == "cpu":
            envoy = rendered.one("ConfigMap", "-balancer")["data"]["envoy.yaml"]
            yield from filter(None, [refused(envoy, chart.folder)])


def test_chart_is_whole(tmp_path: Path) -> None:
    """Every set of values makes manifests that Kubernetes knows and that fit each other."""
    shutil.copytree(CHARTS, tmp_path / "copy")

    assert list(faults(Chart(tmp_path / "copy"), *VERSIONS)) == []


@pytest.mark.parametrize("name", TYPOS)
def test_typo_is_found(name: str, tmp_path: Path) -> None:
    """A slip of the hand in any file of the chart fails here, not in a cluster."""
    chart = Chart(seeded(name, tmp_path))

    assert next(faults(chart, VERSIONS[0]), None) is not None


def test_every_file_has_a_typo() -> None:
    """A file that is added to the chart comes with a typo that is found."""
    files = {str(path.relative_to(CHARTS)) for path in CHARTS.rglob("*") if path.is_file()}

    assert set(TYPOS) == files - {ADAPTER, POLICIES}


def test_envoy_of_the_chart_is_the_one_that_was_tested() -> None:
    """What replicas are named is all that differs from the file that the kill test runs."""
    shipped = ENVOY.read_text("utf-8")
    for number in range(3):
        name = f"{RELEASE}-replicas-{number}"
        address = f"{name}.{RELEASE}-replicas.text.svc.cluster.local"
        shipped = shipped.replace(f"polysent-{number}.polysent-replicas", address)
        shipped = shipped.replace(f"hash_key: polysent-{number}", f"hash_key: {name}")

    rendered = Chart().render({}).one("ConfigMap", "-balancer")

    assert yaml.safe_load(rendered["data"]["envoy.yaml"]) == yaml.safe_load(shipped)


def test_metric_of_the_autoscaler_is_made_by_the_adapter() -> None:
    """The HPA asks for the metric, by the labels, that prometheus-adapter.yaml makes."""
    (rule,) = yaml.safe_load((CHARTS / ADAPTER).read_text("utf-8"))["rules"]["external"]
    rendered = Chart().render(SETS["hpa"])

    external = rendered.one("HorizontalPodAutoscaler")["spec"]["metrics"][0]["external"]["metric"]

    assert external["name"] == rule["name"]["as"]
    assert _found(rendered.of("Service"), external["selector"]["matchLabels"]["service"])
    series = rule["seriesQuery"].partition("{")[0]
    assert (
        series
        in Chart()
        .render(SETS["keda"])
        .one("ScaledObject")["spec"]["triggers"][0]["metadata"]["query"]
    )


def test_jobs_are_those_that_rules_and_dashboards_name() -> None:
    """Prometheus finds each replica's service and sync by the names that alerts ask for."""
    monitor = Chart().render(SETS["hpa"]).one("ServiceMonitor", "-replicas")
    asking = [*OBSERVABILITY.glob("rules/*.yaml"), *OBSERVABILITY.glob("dashboards/*.json")]
    named = re.findall(r'job=~?\\?"([^"\\]+)', "".join(path.read_text("utf-8") for path in asking))

    rules = [rule for each in monitor["spec"]["endpoints"] for rule in each["relabelings"]]

    assert {rule["targetLabel"] for rule in rules} == {"job"}
    assert {rule["replacement"] for rule in rules} == set("|".join(named).split("|"))


def test_page_says_how_the_rules_reach_the_cluster() -> None:
    """Its loop makes a PrometheusRule of each file, with what is in the file."""
    (loop,) = re.findall(r"^for rules in .+?^done$", PAGE, re.MULTILINE | re.DOTALL)
    script = f"kubectl() {{ echo ---; cat; }}\n{loop}"
    made = subprocess.run(["sh", "-euc", script], cwd=ROOT, capture_output=True, check=True)

    manifests = [*filter(None, yaml.safe_load_all(made.stdout))]

    files = sorted(OBSERVABILITY.glob("rules/*.yaml"))
    assert [each["metadata"]["name"] for each in manifests] == [f"polysent-{f.stem}" for f in files]
    assert [each["spec"] for each in manifests] == [
        yaml.safe_load(path.read_text("utf-8")) for path in files
    ]


def test_page_says_what_gke_should_ask() -> None:
    """Its policies are for the Service that the route leads to, at the port that answers there."""
    (block,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    rendered = Chart().render(SETS["gke"])
    health, backend = yaml.safe_load_all(block)
    (backing,) = rendered.one("HTTPRoute")["spec"]["rules"][0]["backendRefs"]
    (envoy,) = rendered.one("Deployment")["spec"]["template"]["spec"]["containers"]
    probe = envoy["readinessProbe"]["httpGet"]

    asked = health["spec"]["default"]["config"]["httpHealthCheck"]

    assert {each["spec"]["targetRef"]["name"] for each in (health, backend)} == {backing["name"]}
    assert asked["requestPath"] == probe["path"]
    assert {"name": probe["port"], "containerPort": asked["port"]} in envoy["ports"]


def test_replicas_that_scale_keep_their_place_on_the_ring() -> None:
    """Envoy knows all replicas that there can be, so that none moves when one is added."""
    values = {"autoscaling": {"kind": "hpa", "min": 2, "max": 9}}

    envoy = yaml.safe_load(
        Chart().render(values).one("ConfigMap", "-balancer")["data"]["envoy.yaml"]
    )

    by_language = envoy["static_resources"]["clusters"][0]["load_assignment"]["endpoints"]
    keys = [
        each["metadata"]["filter_metadata"]["envoy.lb"]["hash_key"]
        for each in by_language[0]["lb_endpoints"]
    ]
    assert keys == [f"polysent-replicas-{n}" for n in range(9)]
    assert len(by_language) == 2


@pytest.mark.parametrize(
    "values",
    [
        {"replica": 3},
        {"access": {"secret": ""}},
        {"admin": {"port": 3000}},
        {"admin": {"port": 0, "from": [{"podSelector": {}}]}},
        {"autoscaling": {"kind": "hpa", "min": 0}},
        {"route": {"enabled": True}},
        {"settings": {"POLYSENT_LANES": 4}},
        {"keda": {"schedule": [{"timezone": "UTC", "start": "0 7 * *", "end": "", "replicas": 1}]}},
        {"resources": {"limits": {"memory": "12 GB"}}},
    ],
    ids=str,
)
def test_value_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    """Helm refuses values that are misspelt, that can't be, or that would open the service."""
    with pytest.raises(HelmError):
        Chart().render(values)


def test_service_is_open_only_where_it_is_said() -> None:
    """`access.insecure` is the one way to a service without keys."""
    closed, opened = Chart().render({}), Chart().render({"access": {"insecure": True}})

    assert "POLYSENT_KEYS_FILE" in str(closed)
    assert "POLYSENT_INSECURE" not in str(closed)
    assert "POLYSENT_INSECURE" in str(opened)
    assert "everyone" in opened.notes


def test_admin_port_is_for_whom_it_is_said() -> None:
    """No Service has it; nobody reaches it from outside the pod who is not named."""
    peer = {"podSelector": {"matchLabels": {"app": "ops"}}}
    closed, opened, none = (
        Chart().render({"admin": admin}) for admin in ({}, {"from": [peer]}, {"port": 0})
    )

    for rendered in (closed, opened):
        service = rendered.one("StatefulSet")["spec"]["template"]["spec"]["containers"][0]
        assert {"name": "POLYSENT_ADMIN_PORT", "value": "3001"} in service["env"]
        assert {"name": "admin", "containerPort": 3001} in service["ports"]
        assert "admin" not in str([*rendered.of("Service", "Ingress", "ServiceMonitor")])
    assert "POLYSENT_ADMIN_HOST" not in str(closed)
    assert "admin" not in str(closed.one("NetworkPolicy", "-replicas"))
    rules = opened.one("NetworkPolicy", "-replicas")["spec"]["ingress"]
    assert {"from": [peer], "ports": [{"port": "admin"}]} in rules
    assert "POLYSENT_ADMIN_HOST" in str(opened)
    assert "admin" not in str(none.one("StatefulSet")).lower()


def test_gpu_is_asked_for_as_a_limit() -> None:
    """Kubernetes takes extended resources as limits."""
    replicas = Chart().render(SETS["gpu"]).one("StatefulSet")

    (service,) = replicas["spec"]["template"]["spec"]["containers"]
    assert service["resources"]["limits"]["nvidia.com/gpu"] == 1


@pytest.mark.parametrize(
    ("name", "ending", "engines"), [("gpu", "-gpu", ["cuda"]), ("cpu", "", [])]
)
def test_card_comes_with_its_image_and_its_engine(
    name: str, ending: str, engines: list[str]
) -> None:
    """The sync knows, too: it must not prepack what no CPU opens."""
    replicas = Chart().render({**SETS[name], "image": {"tag": "v1"}}).one("StatefulSet")

    pod = replicas["spec"]["template"]["spec"]
    for container in pod["containers"] + pod["initContainers"]:
        said = [each["value"] for each in container["env"] if each["name"] == "POLYSENT_ENGINE"]
        assert container["image"] == f"polysent:v1{ending}"
        assert said == engines


def test_chart_goes_through_an_archive(tmp_path: Path) -> None:
    """What `helm package` packs makes the same manifests."""
    archive = helm_python.package(CHARTS / "polysent", destination=tmp_path)
    (tmp_path / "unpacked").mkdir()
    helm_python.expand(tmp_path / "unpacked", archive)

    assert Chart(tmp_path / "unpacked").render({}) == Chart().render({})
    shutil.rmtree(tmp_path / "unpacked")


def _found(services: Iterator[dict[str, dict[str, str]]], name: str) -> bool:
    return any(service["metadata"]["name"] == name for service in services)
