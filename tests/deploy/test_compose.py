import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.settings import ENV_PREFIX, unknown_variables

ROOT = Path(__file__).parent.parent.parent
COMPOSE = ROOT / "deploy/compose/compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
OURS = sorted(name for name in SERVICES if "POLYSENT_IMAGE" in SERVICES[name]["image"])
BASE = "python:3.11-slim-bookworm"
DOCKER = """#!/bin/sh
echo "docker $*" >> "$SAID"
case $1 in image) exit 1 ;; pull) exit $PULLED ;; esac
"""
"""A Docker that somebody runs: it answers and has no image; $PULLED is what a registry says."""
OTHER = """#!/bin/sh
echo "${0##*/} $*" >> "$SAID"
"""


def run_beside_docker(script: str, folder: Path, *, registry: bool) -> tuple[int, str, list[str]]:
    """Run bash where Docker answers; return the exit code, what it printed and what it ran."""
    said = folder / "said"
    said.touch()
    for name in ("bin/docker", "bin/apt-get", "bin/debootstrap", "home/venv/bin/python"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(DOCKER if name == "bin/docker" else OTHER, "utf-8")
        (folder / name).chmod(0o755)
    environment = {name: os.environ[name] for name in os.environ if name != "DOCKER_HOST"} | {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "CONTAINER_HOME": str(folder / "home"),
        "SAID": str(said),
        "PULLED": str(int(not registry)),
    }
    argv = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr, said.read_text("utf-8").splitlines()


MAKE_BASE = f"""
source deploy/container/dockerd.sh
source deploy/container/base.sh
say() {{ echo "$@"; }}
start_docker "$CONTAINER_HOME/docker"
make_base {BASE} "$CONTAINER_HOME" /no/uv
echo "$clean_base at ${{DOCKER_HOST:-its usual place}}"
"""
PROVE = "deploy/compose/prove.sh"


def test_docker_that_answers_is_taken_as_it_is(tmp_path: Path) -> None:
    """As on a CI runner: nothing is installed or started, and the base is the registry's."""
    code, printed, ran = run_beside_docker(MAKE_BASE, tmp_path, registry=True)

    assert code == 0, printed
    assert printed == f"{BASE} at its usual place\n"
    assert ran == ["docker version", f"docker image inspect {BASE}", f"docker pull -q {BASE}"]


@pytest.mark.parametrize(("script", "wanted"), [(MAKE_BASE, BASE), (PROVE, "postgres:15")])
def test_nothing_takes_anothers_name_in_somebodys_docker(
    script: str, wanted: str, tmp_path: Path
) -> None:
    """What runs there would run a stand-in for it ever after."""
    code, printed, ran = run_beside_docker(script, tmp_path, registry=False)

    assert code == 1
    assert f"{wanted} is not to be had" in printed
    assert not [line for line in ran if line.startswith(("docker build", "docker import", "apt"))]


def test_compose_proof_builds_mlflow_and_pulls_the_others(tmp_path: Path) -> None:
    """Nobody publishes our MLflow image: who did would be run by us."""
    code, printed, ran = run_beside_docker(PROVE, tmp_path, registry=True)
    built = [line for line in ran if line.startswith("docker build")]
    pulled = [line.split()[-1] for line in ran if line.startswith("docker pull")]

    assert code == 0, printed
    assert len(built) == 1
    assert f"-t {SERVICES['mlflow']['image']} " in built[0]
    assert pulled == [SERVICES["postgres"]["image"], SERVICES["prometheus"]["image"]]


def test_what_is_built_here_has_a_name_that_nobody_can_publish() -> None:
    """Compose asks a registry before it builds; a name without a slash is Docker's own to give."""
    assert [each["image"] for each in SERVICES.values() if "build" in each]
    assert not [each for each in SERVICES.values() if "build" in each and "/" in each["image"]]


def test_every_setting_is_one_that_polysent_knows() -> None:
    """A misspelt one would end the container at its start."""
    given = {
        name: str(value)
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
    }

    assert [name for name in given if name.startswith(ENV_PREFIX)]
    assert unknown_variables(given) == []


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_nothing_but_their_work(name: str) -> None:
    """Read-only, no capabilities, no new privileges; they write into the store and /tmp."""
    service = SERVICES[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["store:/store"]
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108  (the container's)


def test_sync_and_service_are_one_image() -> None:
    """What fetches a model and what opens it know the same manifest."""
    assert OURS == ["service", "sync"]
    assert SERVICES["service"]["image"] == SERVICES["sync"]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_this_machines_own(name: str) -> None:
    """MLflow and Prometheus ask nobody for a key."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


def test_prometheus_finds_both() -> None:
    """Its targets are the names and ports of the services, its jobs those of the rules."""
    scraped = yaml.safe_load((ROOT / "deploy/compose/prometheus.yaml").read_text("utf-8"))
    alone = yaml.safe_load((ROOT / "deploy/observability/prometheus.yaml").read_text("utf-8"))
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in scraped["scrape_configs"]
    }

    assert targets == {"polysent": ["service:3000"], "polysent-sync": ["sync:3100"]}
    assert targets.keys() == {job["job_name"] for job in alone["scrape_configs"]}
    assert scraped["rule_files"] == alone["rule_files"]
