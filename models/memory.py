"""What this process may use, and what it holds: read from Linux, zero where there is none."""

import ctypes
import math
import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc/self")
CGROUPS = Path("/sys/fs/cgroup")
KIB = 1024


def mapped(folder: Path, proc: Path = PROC) -> int:
    """Return the bytes of files below a folder that are mapped and resident in this process.

    A page that is mapped twice, here or by another process as well, counts once in all.
    """
    return _regions(folder, "Pss:", proc)


def spanned(folder: Path, proc: Path = PROC) -> int:
    """Return the bytes of files below a folder that are mapped here, resident or not."""
    return _regions(folder, "Size:", proc)


def private(proc: Path = PROC) -> int:
    """Return this process's anonymous resident bytes."""
    try:
        status = (proc / "status").read_text(encoding="utf-8")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * KIB
    return 0


def limit(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Return the memory that this process may use: the least of its cgroups' and the machine's."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for folder in _groups("memory", proc, cgroups):
        for name in ("memory.max", "memory.limit_in_bytes"):
            said = _read(folder / name)
            if said.isdigit():
                limits.append(int(said))
    return min(limits)


def cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Return the cores that this process may use: its affinity, within its cgroups' quotas."""
    allowed = [float(len(os.sched_getaffinity(0)))]
    for folder in _groups("cpu", proc, cgroups):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if not quota:
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit():
            allowed.append(int(quota) / int(period))
    return max(1, math.ceil(min(allowed)))


def trim() -> None:
    """Give freed heap back to the system, where the C library can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return


def _regions(folder: Path, what: str, proc: Path) -> int:
    total = 0
    ours = False
    prefix = f"{folder.resolve()}/"
    try:
        smaps = (proc / "smaps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    for line in smaps.splitlines():
        name, _, rest = line.partition(" ")
        if not name.endswith(":"):
            path = rest.split(maxsplit=4)[-1]
            ours = path.startswith(prefix)
        elif ours and name == what:
            total += int(rest.split()[0]) * KIB
    return total


def _groups(controller: str, proc: Path, cgroups: Path) -> Iterator[Path]:
    """Yield the folders of this process's cgroup, version 2 or 1, and of all above it."""
    for line in _read(proc / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = cgroups / controller if controllers else cgroups
        below = root / path.lstrip("/")
        yield from (folder for folder in (below, *below.parents) if folder.is_relative_to(root))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
