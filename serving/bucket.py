"""How often somebody may ask."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic


@dataclass(slots=True)
class Bucket:
    """A token bucket that may be overdrawn: who has taken too much waits until it is paid.

    Holds the tokens of one second, and one at least. Nobody knows what a request will cost before
    its body is read, so it is let in while a token is there, and pays the rest afterwards.
    """

    rate: float
    """Tokens a second."""
    clock: Callable[[], float] = monotonic
    _held: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin full."""
        self._held = self._most
        self._at = self.clock()

    @property
    def wait(self) -> float:
        """Seconds until a token is there; 0 where one is."""
        self._fill()
        return max(0.0, (1 - self._held) / self.rate)

    def take(self, tokens: int) -> float:
        """Take tokens, there or not; returns the seconds until all that was taken is paid."""
        self._fill()
        self._held -= tokens
        return max(0.0, -self._held / self.rate)

    @property
    def _most(self) -> float:
        return max(1.0, self.rate)

    def _fill(self) -> None:
        now = self.clock()
        self._held = min(self._most, self._held + (now - self._at) * self.rate)
        self._at = now
