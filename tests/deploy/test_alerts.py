import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.store import Store
from registry.syncing.telemetry import Telemetry as Syncing
from serving.telemetry import Levels
from serving.telemetry import Telemetry as Serving

pytestmark = pytest.mark.wire  # Prometheus' own tool

OBSERVABILITY = Path(__file__).parents[2] / "deploy" / "observability"
RULES = sorted((OBSERVABILITY / "rules").glob("*.yaml"))
TESTS = sorted((OBSERVABILITY / "tests").glob("*.yaml"))


def rules() -> Iterator[dict[str, Any]]:
    """Yield every rule."""
    for path in RULES:
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            yield from group["rules"]


ALERTS = [rule["alert"] for rule in rules() if "alert" in rule]


def promtool(*words: str | Path) -> None:
    """Run promtool, which must be content."""
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def exposed(folder: Path) -> set[str]:
    """Return every name that a scrape of the service or the sync can give."""
    text = Serving().exposition(Levels(0, 0)) + Syncing(Store(folder)).metrics()
    kinds = re.findall(r"^# TYPE (\w+) (\w+)", text.decode(), re.MULTILINE)
    names = {name for name, _ in kinds}
    for name, kind in kinds:
        if kind in {"histogram", "summary"}:
            names |= {f"{name}_{part}" for part in ("bucket", "count", "sum")}
    return names


def test_prometheus_takes_the_configuration() -> None:
    """And the rules that it names."""
    promtool("check", "config", OBSERVABILITY / "prometheus.yaml")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.stem))
def test_alerts_fire_and_stay_silent_as_written(path: Path) -> None:
    """In the simulations of Prometheus' own tool."""
    promtool("test", "rules", path)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_twin_of_its_test(alert: str) -> None:
    """It fires in one simulation, and in another, near to it, never does."""
    fires: list[bool] = []
    for path in TESTS:
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]:
            if test["name"].startswith(f"{alert} "):
                own = [one for one in test["alert_rule_test"] if one["alertname"] == alert]
                assert own, test["name"]
                fires.append(any(one["exp_alerts"] for one in own))

    assert set(fires) == {True, False}


def test_every_metric_that_is_asked_for_exists(tmp_path: Path) -> None:
    """A rule about a name that nobody exposes would be silent for ever."""
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    known = exposed(tmp_path) | recorded
    for rule in rules():
        asked = set(re.findall(r"[a-z:]*polysent_[a-z0-9_:]+", rule["expr"]))
        assert asked <= known, rule


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    """`page` or `ticket`; a summary, a description, a place in the runbook."""
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
