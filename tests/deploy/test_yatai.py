import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from models.settings import unknown_variables

HERE = Path(__file__).parent
FILE = HERE.parents[1] / "deploy" / "yatai" / "bentodeployment.yaml"
SCHEMA = HERE / "schemas" / "BentoDeployment.json"


def faults(said: dict[str, Any]) -> list[str]:
    """Return what the CRD has against a manifest."""
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text("utf-8")))
    return [error.message for error in validator.iter_errors(said)]


@pytest.fixture
def said() -> dict[str, Any]:
    """Return what the file says."""
    plain: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return plain


def test_deployment_is_what_the_crd_takes(said: dict[str, Any]) -> None:
    """With no key beside those that it names, and with settings that there are."""
    assert faults(said) == []
    assert unknown_variables({env["name"]: "" for env in said["spec"]["envs"]}) == []
    scaling = said["spec"]["autoscaling"]
    assert scaling["minReplicas"] <= scaling["maxReplicas"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["spec"].pop("bento"),
        lambda d: d["spec"].update(bentoTag="polysent:1"),
        lambda d: d["spec"]["autoscaling"].update(maxReplcas=5),
        lambda d: d["spec"]["autoscaling"].update(maxReplicas="5"),
        lambda d: d["spec"]["resources"]["limits"].update(cpu=4),
        lambda d: d["spec"]["envs"].append({"value": "x"}),
        lambda d: d.update(apiVersion="serving.yatai.ai/v1"),
    ],
)
def test_a_slip_is_caught(said: dict[str, Any], edit: Callable[[dict[str, Any]], object]) -> None:
    """A key or a type that the CRD does not have."""
    edit(said)

    assert faults(said)
