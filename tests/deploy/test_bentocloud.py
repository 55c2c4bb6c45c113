import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.bentocloud_api import BentoCloud, bentocloud

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # bentoml's own, when it is imported
    from cli.bentocloud import SERVICE, problems

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "bentocloud").glob("*.yaml"))
TOKEN = "not-a-real-token"  # noqa: S105
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def cloud() -> Iterator[tuple[str, BentoCloud]]:
    """Return the address of a stand-in and its memory."""
    with bentocloud() as running:
        yield running


def plain(file: Path = FILES[0]) -> dict[str, Any]:
    """Return what a file says."""
    said: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return said


def deploy(url: str, home: Path, file: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a person does, with the real client of bentoml behind it."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "deploy", "bentocloud", str(file), *options],
        cwd=ROOT,
        env=os.environ
        | {
            "BENTOML_HOME": str(home),
            "BENTO_CLOUD_API_ENDPOINT": url,
            "BENTO_CLOUD_API_KEY": TOKEN,
            "BENTOML_DO_NOT_TRACK": "True",
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_the_file_says_is_what_is_sent(
    cloud: tuple[str, BentoCloud], tmp_path: Path, file: Path
) -> None:
    """Field by field: created first, then changed; the cluster travels in the query."""
    url, memory = cloud

    outcomes = [deploy(url, tmp_path, file, "--bento", f"polysent:{n}") for n in (1, 2)]

    assert [(done.returncode, done.stderr) for done in outcomes] == [(0, "")] * 2
    created, changed = memory.sent
    said = plain(file)
    cluster = said.pop("cluster")
    for sent, version in ((created, 1), (changed, 2)):
        assert (sent.token, sent.query) == (TOKEN, f"cluster={cluster}")
        given = said | {"bento": f"polysent:{version}"}
        for name, value in flat(given).items():
            if sent is created or name != "name":
                assert flat(sent.body)[name] == value, name
        unset = {name: value for name, value in flat(sent.body).items() if name not in flat(given)}
        assert not any(unset.values()), unset
    assert (created.method, created.path) == ("POST", "/api/v2/deployments")
    assert (changed.method, changed.path) == ("PUT", f"/api/v2/deployments/{said['name']}")


def flat(value: object, place: str = "") -> dict[str, object]:
    """Return the leaves of JSON by their places."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return {place: value}
    return {
        name: leaf
        for key, each in items
        for name, leaf in flat(each, f"{place}.{key}" if place else str(key)).items()
    }


def test_misspelt_key_is_refused_before_anything_is_sent(
    cloud: tuple[str, BentoCloud], tmp_path: Path
) -> None:
    """By bentoml alone it would be dropped, and one replica would have to do."""
    url, memory = cloud
    said = plain()
    scaling = said["services"][SERVICE]["scaling"]
    scaling["max_replcas"] = scaling.pop("max_replicas")
    (tmp_path / "typo.yaml").write_text(yaml.safe_dump(said))

    done = deploy(url, tmp_path, tmp_path / "typo.yaml")

    assert done.returncode == 2
    assert (
        "$.services.polysent.scaling: no such key: max_replcas (meant: max_replicas?)"
        in done.stderr
    )
    assert not memory.requests


def test_dry_run_sends_nothing(cloud: tuple[str, BentoCloud], tmp_path: Path) -> None:
    """It prints what would be deployed."""
    url, memory = cloud

    done = deploy(url, tmp_path, FILES[0], "--dry-run")

    assert (done.returncode, yaml.safe_load(done.stdout)) == (0, plain())
    assert not memory.requests


def test_cloud_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """Exit code 1: it was tried."""
    done = deploy("http://127.0.0.1:9", tmp_path, FILES[0])

    assert done.returncode == 1
    assert "BentoCloud" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shipped_files_are_right(file: Path) -> None:
    """Each of them, with scale to zero, no downtime, and no secret in it."""
    said = plain(file)
    service = said["services"][SERVICE]

    assert problems(said) == []
    assert service["scaling"]["min_replicas"] == 0
    assert service["deployment_strategy"] == "RollingUpdate"
    assert service["config_overrides"]["traffic"]["concurrency"] > 0
    assert {"name": "POLYSENT_SYNC", "value": "embedded"} in said["envs"]
    assert {"name": "POLYSENT_SYNC_FETCH", "value": "asked"} in said["envs"]


def service(said: dict[str, Any]) -> dict[str, Any]:
    """Return the one service of a file."""
    one: dict[str, Any] = said["services"][SERVICE]
    return one


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda d: d.pop("cluster"), "$.cluster: is needed"),
        (lambda d: d.pop("bento"), "$.bento: is needed"),
        (lambda d: d.update(bento="polysent"), "$.bento: a tag name:version"),
        (lambda d: d.update(acces_authorization=True), "no such key: acces_authorization"),
        (lambda d: d.update({True: 2}), "$: no such key: True"),
        (lambda d: d["envs"][0].update({1: 2}), "$.envs.0: no such key: 1"),
        (lambda d: service(d).update(envs=[None], scaling=None), "are needed"),
        (lambda d: d["services"].update(polysent=None), "$.services.polysent"),
        (lambda d: d.update(access_authorization="no"), "'no' would be sent as True"),
        (lambda d: d["envs"].append({"name": "A", "value": 1}), "1 would be sent as '1'"),
        (lambda d: d["envs"].append({"name": "A"}), "$.envs.3.value: is needed"),
        (
            lambda d: d["envs"].append({"name": "POLYSENT_QUEUE_LIMT", "value": "1"}),
            "no such key: POLYSENT_QUEUE_LIMT (meant: POLYSENT_QUEUE_LIMIT?)",
        ),
        (
            lambda d: d["envs"].append({"name": "POLYSENT_QUEUE_LIMIT", "value": "0"}),
            "POLYSENT_QUEUE_LIMIT: Input should be greater than or equal to 1",
        ),
        (
            lambda d: d["envs"].append({"name": "MLFLOW_TRACKING_TOKEN", "value": "x"}),
            "belongs into a secret",
        ),
        (
            lambda d: d["envs"].append({"name": "POLYSENT_ADMIN_TOKEN", "value": "x"}),
            "belongs into a secret",
        ),
        (lambda d: d["services"].update(sentiment={}), "$.services: there is one, 'polysent'"),
        (lambda d: service(d)["scaling"].update(min_replicas=9), "from 9 to"),
        (lambda d: service(d)["scaling"].update(min_replicas="x"), "min_replicas"),
        (lambda d: service(d)["scaling"].pop("max_replicas"), "are needed"),
        (
            lambda d: service(d)["scaling"]["policy"].update(scale_down_stabilization_window=4000),
            "scale_down_stabilization_window: 0 to 3600",
        ),
        (
            lambda d: service(d)["scaling"]["policy"].update(scale_up_behavior="quick"),
            "scale_up_behavior: one of",
        ),
        (lambda d: service(d).update(deployment_strategy="BlueGreen"), "one of RollingUpdate"),
        (
            lambda d: service(d)["config_overrides"]["traffic"].update(concurency=1),
            "$.services.polysent.config_overrides.traffic.concurency: 1 would be sent as None",
        ),
        (
            lambda d: service(d)["config_overrides"]["traffic"].update(timeout=-5),
            "config_overrides.traffic.timeout: Input should be greater than 0",
        ),
        (
            lambda d: d.update(
                canary={
                    "route_type": "random",
                    "versions": {
                        "next": {
                            "bento": "polysent:2",
                            "weight": 140,
                            "services": d["services"],
                        }
                    },
                }
            ),
            "$.canary.versions: the weights are percentages",
        ),
        (lambda d: d.update(canary={"route_type": "cookie"}), "route_type"),
    ],
)
def test_everything_that_is_wrong_is_told(edit: Edit, problem: str) -> None:
    """With its place, and what was meant where that can be guessed."""
    said = plain()

    edit(said)

    assert any(problem in found for found in problems(said)), problems(said)


@pytest.mark.parametrize("said", [None, [], "x", {}])
def test_what_is_no_deployment_is_refused(said: object) -> None:
    """An empty file, too."""
    assert problems(said)


def test_service_has_the_name_that_the_files_use() -> None:
    """Under another name there would be a second one, without its settings."""
    assert f'name="{SERVICE}"' in (ROOT / "service.py").read_text("utf-8")
