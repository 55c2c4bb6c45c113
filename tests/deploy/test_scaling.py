"""The chart's autoscaling, live: real services, a real balancer, a real Prometheus, one machine."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
import yaml

from cli.processes import Child
from cli.servers import PROJECT
from deploy.autoscaling.chart import autoscaler
from deploy.autoscaling.load import Load
from deploy.autoscaling.manifests import Hpa, scaler
from deploy.autoscaling.simulate import SYNC
from tests.deploy.balancers import BALANCERS
from tests.deploy.clients import Clients
from tests.deploy.replicas import LANGUAGES, Replica, made
from tests.wire.conftest import free_port, running

pytestmark = pytest.mark.wire

FASTER = 20.0
"""Seconds of the autoscaler in one of ours: its windows are minutes."""
BIND = re.compile(r"bind 127\.0\.0\.1:(\d+)")
PATIENCE = 90.0
WINDOW = "3s"
"""Of the mean of requests in flight: a minute of the autoscaler's time."""
IN_FLIGHT = "haproxy_backend_current_sessions{proxy=~'by_language|anywhere'}"
PACE = "0.1"
"""Seconds of a batch: three replicas on one machine are no faster than one, but for this."""
FEW, MANY = 2, 24
"""Clients who ask without a pause, and so requests in flight: eight are a replica's share."""


@dataclass(slots=True)
class Cluster:
    """Three places for a replica, and the autoscaler that fills them."""

    places: list[Replica]
    prometheus: str
    hpa: Hpa
    began: float = field(default_factory=time.monotonic)
    seen: list[int] = field(default_factory=list)
    """How many there were to be, at each decision."""

    def scale(self) -> int:
        """Decide once, as every 15 s of the autoscaler's time; return how many are ready."""
        before = self.seen[-1] if self.seen else 0
        ready = sum(map(_ready, self.places[:before]))
        now = (time.monotonic() - self.began) * FASTER
        count = self.hpa(Load(now, before, ready, self._in_flight(), 0.0, 0.0))
        for place in self.places[:count]:
            if not place.child.running:
                place.child.start()
        for place in self.places[count:before]:
            place.signal(signal.SIGTERM)
        self.seen.append(count)
        return ready

    def until(self, ready: int) -> None:
        """Let it decide until so many answer, and no more are to."""
        ends = time.monotonic() + PATIENCE
        while self.scale() != ready or self.seen[-1] != ready:
            assert time.monotonic() < ends, self.seen
            time.sleep(SYNC / FASTER)

    def _in_flight(self) -> float:
        query = {"query": f"sum(avg_over_time({IN_FLIGHT}[{WINDOW}]))"}
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params=query, trust_env=False)
        found = answer.json()["data"]["result"]
        return float(found[0]["value"][1]) if found else 0.0


def _ready(place: Replica) -> bool:
    try:
        return httpx.get(f"{place.url}/readyz", trust_env=False, timeout=1).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[str]:
    """Run one that asks a balancer twice a second."""
    port = free_port()
    job = {
        "job_name": "balancer",
        "metrics_path": "/stats/prometheus",
        "static_configs": [{"targets": [f"127.0.0.1:{target}"]}],
    }
    settings = {"global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"}}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings | {"scrape_configs": [job]}))
    child = Child(
        "prometheus",
        [
            *("prometheus", f"--config.file={folder / 'prometheus.yaml'}"),
            *(f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}"),
        ],
        log=folder / "prometheus.log",
    )
    with running(child, f"http://127.0.0.1:{port}/-/ready"):
        yield f"http://127.0.0.1:{port}"


def paced(folder: Path) -> list[Replica]:
    """Return three services that can be started, whose engine keeps a fixed pace."""
    replicas = made(folder)
    for replica in replicas:
        replica.child.argv = [
            "benchmarks.paced:Polysent" if part == str(PROJECT) else part
            for part in replica.child.argv
        ]
        replica.child.environment = {**replica.child.environment, "PACE": PACE}
    return replicas


def test_replicas_come_and_go_with_the_load(tmp_path: Path) -> None:
    """One, three, one, by the chart's own rules; nobody who asks meanwhile is refused."""
    places = paced(tmp_path)
    hpa = scaler(autoscaler("hpa"))
    assert isinstance(hpa, Hpa)
    hpa.autoscaler.rules = replace(hpa.autoscaler.rules, least=1, most=len(places))
    asked: list[Clients] = []
    with ExitStack() as stack:
        for place in places:
            stack.callback(place.child.stop)
        ports = [place.port for place in places]
        url = stack.enter_context(BALANCERS["haproxy"].running(ports, tmp_path))
        telemetry = int(BIND.findall((tmp_path / "haproxy.cfg").read_text())[1])
        watched = stack.enter_context(prometheus(tmp_path, telemetry))
        cluster = Cluster(places, watched, hpa)
        cluster.until(1)
        while not httpx.get(f"{url}/readyz", trust_env=False).is_success:
            time.sleep(0.1)
        for clients, replicas in ((FEW, 1), (MANY, 3), (FEW, 1)):
            asked.append(Clients(url, LANGUAGES))
            with asked[-1].asking(clients):
                cluster.until(replicas)

    assert [failed for each in asked for failed in each.failed] == []
    assert all(each.asked for each in asked)
    assert max(cluster.seen) == 3
