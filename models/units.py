"""Bytes and seconds, for people."""

KILO = 1024
UNITS = ("KiB", "MiB", "GiB", "TiB")
MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60
LEAST_SECONDS = 0.001


def size(nbytes: float) -> str:
    """Return `512 B`, `2.6 MiB`, `281 MiB`."""
    if nbytes < KILO:
        return f"{nbytes:.0f} B"
    unit = ""
    for unit in UNITS:  # noqa: B007  (the last one is for all that is larger)
        nbytes /= KILO
        if nbytes < KILO - 0.5:
            break
    return f"{nbytes:.1f} {unit}" if nbytes < 9.95 else f"{nbytes:.0f} {unit}"  # noqa: PLR2004


def duration(seconds: float) -> str:
    """Return `4 ms`, `2.5 s`, `12 s`, `3 min`, `5 h`, `2 days`."""
    if seconds < LEAST_SECONDS:
        return "less than 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"  # noqa: PLR2004
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < 2 * DAY:
        return f"{seconds / HOUR:.0f} h"
    return f"{seconds / DAY:.0f} days"
