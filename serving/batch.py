"""Which of the waiting texts go into the engine together: a decision about lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Reason = Literal["drained", "tokens", "padding"]
"""Why a batch has no more texts: no more waited, or one more had broken a limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one engine run takes: so many tokens, padding included, and what share of padding."""

    tokens: int
    padding: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The indices of the texts that go together, and why it is not more of them."""

    chosen: tuple[int, ...]
    reason: Reason


def cut(lengths: Sequence[int], limits: Limits) -> Cut:
    """Choose the texts of one batch among those that wait, oldest first; lengths in tokens.

    1. The oldest one goes, even where it is too long alone: nobody waits for ever.
    2. Those nearest to it in length go with it, until one more would break a limit.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    ascending = [lengths[index] for index in order]
    first = last = order.index(0)
    real = ascending[first]
    while last - first + 1 < len(order):
        shorter = ascending[last] - ascending[first - 1] if first > 0 else None
        longer = (
            (ascending[last + 1] - ascending[last]) * (last - first + 1)
            if last + 1 < len(order)
            else None
        )
        if longer is None or (shorter is not None and shorter <= longer):
            grown = (first - 1, last)
            real += ascending[first - 1]
        else:
            grown = (first, last + 1)
            real += ascending[last + 1]
        padded = ascending[grown[1]] * (grown[1] - grown[0] + 1)
        if padded > limits.tokens:
            return Cut(tuple(order[first : last + 1]), "tokens")
        if padded - real > limits.padding * padded:
            return Cut(tuple(order[first : last + 1]), "padding")
        first, last = grown
    return Cut(tuple(order), "drained")
