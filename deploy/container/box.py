"""A container that may do nothing but answer, and how to step into its network."""

import ctypes
import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HARDENED = (
    *("--read-only", "--tmpfs", "/tmp"),  # noqa: S108  (the container's)
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--network", "none", "--memory", "2g", "--pids-limit", "256"),
)
"""No network but a loopback of its own: what answers here needs nobody else."""
PORT = 3000
START_SECONDS = 60.0
TICK_SECONDS = 0.01
CLONE_NEWNET = 0x40000000


def docker(*words: str) -> str:
    """Run `docker`; returns what it prints, CalledProcessError where it fails."""
    done = subprocess.run(["docker", *words], check=True, capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Box:
    """A running container."""

    name: str
    pid: int
    ready_seconds: float
    """From `docker run` to the first 200 of /readyz."""

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let this thread, and those that it starts, connect as if they ran in the container."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        try:
            _enter(other)
            yield
        finally:
            _enter(own)
            os.close(own)
            os.close(other)

    def state(self) -> dict[str, Any]:
        """Return what Docker says of it."""
        said: dict[str, Any] = json.loads(docker("inspect", "-f", "{{json .State}}", self.name))
        return said


@contextmanager
def boxed(image: str, options: Sequence[str], command: Sequence[str] = ()) -> Iterator[Box]:
    """Run a container and wait until it is ready; TimeoutError holds its log where it is not."""
    began = time.monotonic()
    name = docker("run", "-d", *HARDENED, *options, image, *command)
    try:
        pid = int(docker("inspect", "-f", "{{.State.Pid}}", name))
        box = Box(name, pid, 0.0)
        with box.inside():
            while not _ready():
                if time.monotonic() - began > START_SECONDS or not Path(f"/proc/{pid}").exists():
                    raise TimeoutError(_log(name))
                time.sleep(TICK_SECONDS)
        yield Box(name, pid, time.monotonic() - began)
    finally:
        docker("rm", "-f", "-v", name)


def _ready() -> bool:
    line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=START_SECONDS)
    try:
        line.request("GET", "/readyz")
        return line.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def _log(name: str) -> str:
    done = subprocess.run(["docker", "logs", "--tail", "60", name], capture_output=True, text=True)  # noqa: PLW1510, S603, S607
    return done.stdout + done.stderr


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
