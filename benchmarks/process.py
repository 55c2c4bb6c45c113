"""What a process holds, as Linux tells it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
ANONYMOUS = re.compile(r"^Anonymous: +(\d+) kB", re.MULTILINE)
THREADS = re.compile(r"^Threads:\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its id."""

    pid: int

    def family(self) -> Iterator["Process"]:
        """Yield the process and all below it."""
        yield self
        for task in (PROC / str(self.pid) / "task").iterdir():
            for child in (task / "children").read_text().split():
                yield from Process(int(child)).family()

    @property
    def private_bytes(self) -> int:
        """Memory that is this process's alone and is no file's: what it allocated."""
        return 1024 * sum(map(int, ANONYMOUS.findall(self._read("smaps_rollup"))))

    @property
    def threads(self) -> int:
        """How many threads it has."""
        return int(THREADS.findall(self._read("status"))[0])

    @property
    def descriptors(self) -> int:
        """How many files it has open."""
        return sum(1 for _ in (PROC / str(self.pid) / "fd").iterdir())

    def maps(self, folder: Path) -> bool:
        """Say whether it has mapped a file below a folder."""
        return str(folder.resolve()) in self._read("maps")

    def _read(self, name: str) -> str:
        return (PROC / str(self.pid) / name).read_text()
