"""`python -m deploy.container.smoke IMAGE FOLDER`: what an image must do to be called good.

Root, for the store belongs to the container's user and its network is stepped into.
"""

import json
import os
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.container.box import HARDENED, PORT, Box, boxed, docker
from models.store import Store
from tests.tiny import serve_tiny

MOST_BYTES = 600 * 10**6
MOST_TIMES_EMPTY = 1.5
MOST_SECONDS_TO_REFUSE = 1.0
ROUNDS = 5
CLIENTS = 8
ANSWERS = 20 * CLIENTS
"""So many are seen before it is told to end: by then every client is in the middle of it."""
USER = 1034
"""The user that BentoML gives its images."""
URL = f"http://127.0.0.1:{PORT}"
HEAVY = {"mlflow", "onnx", "optimum", "pandas", "scikit-learn", "torch", "transformers"}
INSTALLERS = {"pip", "setuptools", "uv", "wheel"}
LOOK = f"""
import glob, importlib.metadata, importlib.util, shutil, sys
sys.path += glob.glob(sys.base_prefix + "/lib/python3*/*-packages")
names = {{each.name.lower() for each in importlib.metadata.distributions()}}
print(
    *sorted(names & {HEAVY | INSTALLERS!r}),
    *filter(importlib.util.find_spec, ("ensurepip", "pip")),
    *filter(shutil.which, ("gcc", "git", "pip", "uv")),
)
"""
"""Prints what a serving image must not have: in the service's Python, in the one below, on PATH."""
BODY = {"text": "good", "language": "en"}
EMPTY = """
import bentoml

@bentoml.service
class Empty:
    @bentoml.api
    def answer(self) -> str:
        return "yes"
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and whether it is good."""

    what: str
    good: bool
    found: str


@dataclass(slots=True)
class Asking:
    """Clients that ask one question after the other, over connections they keep."""

    key: str
    statuses: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Ask, until the door is closed."""
        clients = [threading.Thread(target=self._client) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        yield
        for client in clients:
            client.join()

    def _client(self) -> None:
        with _client(self.key) as client:
            while not self.refused:
                try:
                    self.statuses.append(client.post("/predict", json=BODY).status_code)
                except httpx.ConnectError:
                    self.refused.append(time.monotonic())
                except httpx.TransportError as error:
                    self.broken.append(repr(error))


def _client(key: str) -> httpx.Client:
    said = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=URL, headers=said, trust_env=False, timeout=30)


def size(image: str, most: int = MOST_BYTES) -> Finding:
    """Weigh the image."""
    nbytes = int(docker("image", "inspect", "-f", "{{.Size}}", image))
    return Finding("size", nbytes <= most, f"{nbytes / 1e6:.0f} MB")


def lean(image: str) -> Finding:
    """Look for what a serving image must not have."""
    held = docker("run", "--rm", "--network", "none", "--entrypoint", "python", image, "-c", LOOK)
    return Finding("nothing heavy inside", not held, held or "nothing")


def command(image: str) -> Finding:
    """Ask the command inside for its help."""
    words = ("run", "--rm", "--network", "none", image, "polysent", "registry", "sync", "--help")
    said = docker(*words)
    return Finding("polysent works inside", "--watch" in said, said.splitlines()[0].strip())


def ready(image: str, mounts: list[str], folder: Path) -> Finding:
    """Start it and an empty Bento by turns, under the same conditions."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    (empty / "service.py").write_text(EMPTY, "utf-8")
    beside = ["-v", f"{empty}:/empty:ro", "-e", "BENTO_PATH=/empty", "-w", "/empty"]
    times: dict[str, list[float]] = {"ours": [], "empty": []}
    for _ in range(ROUNDS):
        for name, options in (("ours", mounts), ("empty", beside)):
            with boxed(image, options) as box:
                times[name].append(box.ready_seconds)
    ours, bare = (statistics.median(times[name]) for name in ("ours", "empty"))
    found = f"{ours:.2f} s, an empty Bento {bare:.2f} s: {ours / bare:.2f} times"
    return Finding("ready", ours <= MOST_TIMES_EMPTY * bare, found)


def answers(box: Box, key: str) -> Iterator[Finding]:
    """Ask with the key and without it."""
    with box.inside(), _client(key) as known, _client("") as stranger:
        said = known.post("/predict", json=BODY)
        refused = stranger.post("/predict", json=BODY)
    yield Finding("answers from the mounted store", said.status_code == 200, said.text[:60])  # noqa: PLR2004
    yield Finding("refuses strangers", refused.status_code == 401, f"{refused.status_code}")  # noqa: PLR2004


def health(box: Box) -> Finding:
    """Wait for Docker's own opinion."""
    deadline = time.monotonic() + 30
    while (said := box.state()["Health"]["Status"]) != "healthy" and time.monotonic() < deadline:
        time.sleep(0.5)
    return Finding("health check", said == "healthy", said)


def drains(box: Box, key: str) -> Iterator[Finding]:
    """End it while it is asked."""
    asking = Asking(key)
    with box.inside(), asking.under_way():
        while len(asking.statuses) < ANSWERS and not (asking.broken or asking.refused):
            time.sleep(0.01)
        told = time.monotonic()
        docker("kill", "--signal", "TERM", box.name)
    code = docker("wait", box.name)
    lost = [*asking.broken, *(str(each) for each in asking.statuses if each != 200)]  # noqa: PLR2004
    found = f"{len(lost)} of {len(asking.statuses)} {' '.join(lost[:3])}".strip()
    yield Finding("SIGTERM loses no request", not lost, found)
    seconds = min(asking.refused) - told
    yield Finding("refuses then", seconds <= MOST_SECONDS_TO_REFUSE, f"after {seconds:.2f} s")
    yield Finding("exit code", code == "0", code)


def prepared(image: str, folder: Path) -> tuple[list[str], str]:
    """Return the options that mount a store with two tiny models, and a key to it."""
    home = folder / "store"
    shutil.rmtree(home, ignore_errors=True)
    serve_tiny(Store(home), "en", "de")
    for path in (home, *home.rglob("*")):
        os.chown(path, USER, USER)
    mounts = ["-v", f"{home}:/store"]
    key = docker("run", "--rm", *HARDENED, *mounts, image, "polysent", "keys", "add", "smoke")
    return mounts, key


def findings(image: str, folder: Path) -> Iterator[Finding]:
    """Find out all there is to know."""
    yield size(image)
    yield lean(image)
    yield command(image)
    mounts, key = prepared(image, folder)
    with boxed(image, mounts) as box:
        yield from answers(box, key)
        yield health(box)
        yield from drains(box, key)
    yield ready(image, mounts, folder)


def judge(findings: Iterable[Finding], folder: Path) -> None:
    """Print what is found, and keep it; exit code 1 where something is not good."""
    found = []
    for each in findings:
        found.append(each)
        print(f"{'ok  ' if each.good else 'BAD '} {each.what}: {each.found}", flush=True)  # noqa: T201
    report = {each.what: {"good": each.good, "found": each.found} for each in found}
    (folder / "smoke.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    sys.exit(not all(each.good for each in found))


if __name__ == "__main__":
    judge(findings(sys.argv[1], Path(sys.argv[2])), Path(sys.argv[2]))
