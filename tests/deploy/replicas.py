"""Real services with a tiny model for each of fifty languages, each with a store of its own."""

import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from cli import servers
from cli.processes import Child
from models.settings import Settings
from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import free_port, wait_until_ready

TAGS = """
af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he
hi hr hu hy id is it ja ka kk km kn ko lt lv mk ml mn mr ms nl pl pt ro ru
"""
LANGUAGES = tuple(TAGS.split())
ANSWERED = re.compile(r"^polysent_answers_total\{(.*)\} (.+)$", re.MULTILINE)
LANGUAGE = re.compile(r'language="([\w-]+)"')


@dataclass(slots=True)
class Replica:
    """One service, at a port that stays its own."""

    home: Path
    port: int
    child: Child

    @classmethod
    def over(cls, home: Path) -> "Replica":
        """Return one that keeps all it has in a folder."""
        settings = Settings(home=home, port=free_port())
        child = servers.service(settings)
        child.environment = {**child.environment, "BENTOML_HOME": str(home / "store")}
        return cls(home, settings.port, child)

    @property
    def url(self) -> str:
        """Its own address."""
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        """Wait until it is ready."""
        wait_until_ready(self.child, f"{self.url}/readyz")

    def restart(self) -> None:
        """Start it again, once all of it has ended, and wait until it is ready."""
        self.child.stop()
        self.child.start()
        self.wait()

    def signal(self, number: int) -> None:
        """Send a signal to all its processes, as the end of a container or a node does."""
        assert self.child.pid is not None
        master = psutil.Process(self.child.pid)
        for process in (master, *master.children(recursive=True)):
            process.send_signal(number)

    def answered(self) -> Counter[str]:
        """Return how many texts of each language it has answered since its start."""
        exposition = httpx.get(f"{self.url}/metrics", trust_env=False).text
        counts: Counter[str] = Counter()
        for labels, count in ANSWERED.findall(exposition):
            if 'outcome="ok"' in labels:
                counts[LANGUAGE.findall(labels)[0]] += int(float(count))
        return counts


def made(folder: Path) -> list[Replica]:
    """Return three replicas that serve the same; none is started."""
    serve_tiny(Store(folder / "made"), *LANGUAGES)
    homes = [folder / str(number) for number in range(3)]
    for home in homes:
        shutil.copytree(folder / "made", home / "store")
    return [Replica.over(home) for home in homes]


def three(folder: Path) -> list[Replica]:
    """Start three replicas that serve the same; they are not ready yet."""
    replicas = made(folder)
    for replica in replicas:
        replica.child.start()
    return replicas
