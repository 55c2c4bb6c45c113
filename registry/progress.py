"""Saying what is being done."""

from collections.abc import Callable

Say = Callable[[str], None]
"""Takes one short sentence about what begins now; never fails."""


def silent(_: str) -> None:
    """Say nothing."""
