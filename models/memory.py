"""Memory and cores: what this process holds, and what it may have.

Each function reads the kernel's files below `proc` and `cgroup`, so that a test can bring its own.
"""

import ctypes
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")
UNLIMITED = 2**60
"""Bytes; cgroup v1 says so by a number nobody has."""
_REGION = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ +(.*)$")


@dataclass(frozen=True, slots=True)
class Mapped:
    """Files mapped into this process: addresses taken, and bytes of them that are in memory."""

    size: int = 0
    resident: int = 0


def mapped(folder: Path, proc: Path = PROC) -> Mapped:
    """Return what is mapped of files below a folder; nothing where the kernel does not say.

    A page that two mappings of this process share counts twice, as in VmRSS.
    """
    below = f"{folder.resolve()}/"
    found = {"Size": 0, "Rss": 0}
    ours = False
    for line in _lines(proc / "self" / "smaps"):
        if region := _REGION.match(line):
            ours = region[1].startswith(below)
        elif ours and (name := line.partition(":")[0]) in found:
            found[name] += _kilobytes(line)
    return Mapped(found["Size"], found["Rss"])


def private(proc: Path = PROC) -> int:
    """Return the bytes in memory that belong to no file: heap and stacks; 0 where unknown."""
    return _field(proc / "self" / "status", "RssAnon")


def limit(proc: Path = PROC, cgroup: Path = CGROUP) -> int:
    """Return how many bytes this process may use: those of the machine, or fewer."""
    machine = _field(proc / "meminfo", "MemTotal") or UNLIMITED
    bounds = [_number(folder / "memory.max") for folder in _groups("", proc, cgroup)]
    bounds += [
        _number(folder / "memory.limit_in_bytes") for folder in _groups("memory", proc, cgroup)
    ]
    return min([machine, *(bound for bound in bounds if bound is not None)])


def cores(proc: Path = PROC, cgroup: Path = CGROUP) -> int:
    """Return how many cores this process may keep busy, rounded up; at least 1."""
    quotas = [_share(*_words(folder / "cpu.max")) for folder in _groups("", proc, cgroup)]
    quotas += [
        _share(*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us"))
        for folder in _groups("cpu", proc, cgroup)
    ]
    return max(1, min([_affinity(), *(math.ceil(quota) for quota in quotas if quota)]))


def trim() -> None:
    """Give freed heap back to the kernel, where the C library knows how (glibc)."""
    release = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if release is not None:
        release(0)


def _affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _groups(controller: str, proc: Path, cgroup: Path) -> Iterator[Path]:
    """Yield this process's group and all above it; controller "" is cgroup v2."""
    for line in _lines(proc / "self" / "cgroup"):
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            top = cgroup / controller
            here = top / path.strip().lstrip("/")
            yield from (folder for folder in (here, *here.parents) if folder.is_relative_to(top))


def _share(quota: str = "max", period: str = "") -> float | None:
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _number(path: Path) -> int | None:
    (word, *_) = _words(path) or ["max"]
    return int(word) if word.isdigit() else None


def _field(path: Path, name: str) -> int:
    return sum(_kilobytes(line) for line in _lines(path) if line.startswith(f"{name}:"))


def _kilobytes(line: str) -> int:
    return int(line.split()[1]) * 1024


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
