"""Pieces of a body to lines."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank, and its number from 1; no content where it was too long."""

    number: int
    content: bytes | None


class Lines:
    """Cuts a body into lines; of one that has not ended it holds `longest` bytes at most."""

    def __init__(self, longest: int) -> None:
        """Start before the first line."""
        self.number = 0
        """Lines that have ended, blank ones too."""
        self._longest = longest
        self._rest = b""
        self._too_long = False

    def cut(self, piece: bytes, *, more: bool) -> Iterator[Line]:
        """Yield the lines that end in this piece; the last one needs no newline."""
        *whole, rest = (self._rest + piece).split(b"\n")
        self._rest = rest if more else b""
        for content in whole if more else [*whole, rest]:
            yield from self._ended(content)
        if len(self._rest) > self._longest:
            self._rest = b""
            self._too_long = True

    def _ended(self, content: bytes) -> Iterator[Line]:
        self.number += 1
        too_long = self._too_long or len(content) > self._longest
        self._too_long = False
        if too_long:
            yield Line(self.number, None)
        elif stripped := content.strip():
            yield Line(self.number, stripped)
