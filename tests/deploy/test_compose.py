from pathlib import Path
from typing import Any

import pytest
import yaml

from models.settings import ENV_PREFIX, unknown_variables

ROOT = Path(__file__).parent.parent.parent
COMPOSE = ROOT / "deploy/compose/compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
OURS = sorted(name for name in SERVICES if "POLYSENT_IMAGE" in SERVICES[name]["image"])


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
