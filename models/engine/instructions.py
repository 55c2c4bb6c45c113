"""What this CPU can do, as far as packed weights depend on it."""

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
LEVELS = (
    ("amx", "amx_int8"),
    ("avx512vnni", "avx512_vnni"),
    ("avx512", "avx512f"),
    ("avxvnni", "avx_vnni"),
    ("avx2", "avx2"),
    ("sme", "sme"),
    ("i8mm", "i8mm"),
    ("dotprod", "asimddp"),
)
"""Best first: our name, and the kernel's flag of the CPU."""


def isa(cpuinfo: Path = CPUINFO) -> str:
    """Return a short stable name of the instruction set, such as `avx2`."""
    try:
        lines = cpuinfo.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    flags = {
        flag
        for line in lines
        if line.partition(":")[0].strip() in {"flags", "Features"}
        for flag in line.partition(":")[2].split()
    }
    return next((name for name, flag in LEVELS if flag in flags), platform.machine() or "any")
