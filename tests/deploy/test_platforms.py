import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from cfnlint import api
from cfnlint.config import ManualArgs

from models.settings import unknown_variables

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "deploy" / "platforms"
VERTEX = "GoogleCloudAiplatformV1"
BODIES = {
    "cloud-run": {"": "Service"},
    "vertex": {"upload": f"{VERTEX}UploadModelRequest", "deploy": f"{VERTEX}DeployModelRequest"},
}
"""Per file, which of its parts is what in Google's schema; "" is all of it."""
ANNOTATIONS = {
    "autoscaling.knative.dev/maxScale",
    "autoscaling.knative.dev/minScale",
    "run.googleapis.com/cpu-throttling",
    "run.googleapis.com/execution-environment",
    "run.googleapis.com/ingress",
    "run.googleapis.com/startup-cpu-boost",
}
"""What Cloud Run reads from annotations, as far as we use it; no schema knows them."""
Json = dict[str, Any]
Edit = Callable[[Json], object]


def text(name: str) -> str:
    """Return a manifest."""
    return (FOLDER / f"{name}.yaml").read_text("utf-8")


def plain(name: str) -> Json:
    """Return what a manifest of Google's says."""
    said: Json = yaml.safe_load(text(name))
    return said


def faults(name: str, said: Json) -> Iterator[str]:
    """Yield what Google's schema has against a manifest."""
    schema = json.loads((HERE / "schemas" / f"{name}.json").read_text("utf-8"))
    for part, kind in BODIES[name].items():
        validator = jsonschema_rs.validator_for(schema | {"$ref": f"#/$defs/{kind}"})
        for error in validator.iter_errors(said[part] if part else said):
            yield f"{list(error.instance_path)}: {error.message}"


def lint(template: str) -> list[str]:
    """Return what cfn-lint has against a template."""
    found = api.lint(template, config=ManualArgs(regions=["eu-central-1"]))
    return [f"{match.linenumber}: {match.message}" for match in found]


def variables(plain: object) -> Iterator[str]:
    """Yield the names of the variables that a manifest sets, in whatever form."""
    if isinstance(plain, dict):
        for key, value in plain.items():
            if key in {"env", "Environment", "Secrets"}:
                names = value if isinstance(value, dict) else [_name(each) for each in value]
                yield from names
            yield from variables(value)
    elif isinstance(plain, list):
        for each in plain:
            yield from variables(each)


def _name(entry: dict[str, str]) -> str:
    return entry["name"] if "name" in entry else entry["Name"]


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, which are kept as their arguments."""


Template.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


@pytest.mark.parametrize("name", BODIES)
def test_google_takes_the_manifest(name: str) -> None:
    """With no key beside those of its own description of the API."""
    assert list(faults(name, plain(name))) == []


@pytest.mark.parametrize("name", ["ecs", "sagemaker"])
def test_cloudformation_takes_the_template(name: str) -> None:
    """By cfn-lint, with the schemas of the resources."""
    assert lint(text(name)) == []


@pytest.mark.parametrize("name", ["cloud-run", "ecs", "sagemaker", "vertex"])
def test_settings_of_the_manifest_exist(name: str) -> None:
    """A service that is told a setting which it does not know does not start."""
    said = yaml.load(text(name), Template)  # noqa: S506  (a SafeLoader)
    names = list(variables(said))

    assert "POLYSENT_MLFLOW_URI" in names
    assert unknown_variables(dict.fromkeys(names, "")) == []


def test_annotations_of_cloud_run_are_known() -> None:
    """They are free text to every schema."""
    said = plain("cloud-run")
    template = said["spec"]["template"]["metadata"]["annotations"]

    assert {*said["metadata"]["annotations"], *template} == ANNOTATIONS
    least, most = (template[f"autoscaling.knative.dev/{each}Scale"] for each in ("min", "max"))
    assert (int(least), int(most) > 0) == (0, True)
    probe = said["spec"]["template"]["spec"]["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] <= 240


def container(said: Json) -> Json:
    """Return Cloud Run's one container."""
    one: Json = said["spec"]["template"]["spec"]["containers"][0]
    return one


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("cloud-run", lambda d: d["spec"]["template"]["spec"].update(containerConcurency=1)),
        ("cloud-run", lambda d: container(d)["startupProbe"].update(failureTreshold=1)),
        ("cloud-run", lambda d: container(d).update(ports=3000)),
        ("vertex", lambda d: d["upload"]["model"]["containerSpec"].update(pingRoute="/ping")),
        ("vertex", lambda d: d["deploy"]["deployedModel"].update(maxReplicaCount=1)),
    ],
)
def test_a_slip_in_google_s_is_caught(name: str, edit: Edit) -> None:
    """A key or a type that the API does not have."""
    said = plain(name)

    edit(said)

    assert list(faults(name, said))


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("ecs", "HealthCheckPath", "HealthCheckPth"),
        ("ecs", "!Ref BalancerGroup", "!Ref BalancerGrup"),
        ("ecs", "Condition: SUCCESS", "Condition: SUCESS"),
        ("sagemaker", "ManagedInstanceScaling", "ManagedInstanceScalng"),
        ("sagemaker", "sagemaker:inference-component", "sagemaker:inference-components"),
    ],
)
def test_a_slip_in_aws_s_is_caught(name: str, right: str, wrong: str) -> None:
    """A key, a reference or a value that CloudFormation does not have."""
    slipped = text(name).replace(right, wrong, 1)

    assert any(wrong.rpartition(" ")[2] in fault for fault in lint(slipped))
