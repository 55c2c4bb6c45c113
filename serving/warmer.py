"""A model's first run, so that no request pays for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from models.identity import Tag
from serving.call import Call
from serving.encoder import Encoder
from serving.runner import Runners

TEXT = "a"
PATIENCE = 60.0
"""Seconds that opening a model may take, the wait for room included."""


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Warmer:
    """Opens models and lets them answer a text that nobody sent."""

    encoder: Encoder
    runners: Runners

    async def __call__(self, tag: Tag, first: Callable[[], None] = _nothing) -> None:
        """Open a model, unless it is open, and run it; errors as those of a request.

        `first` is called at the moment in which it begins to be opened: whoever asks for it
        from then on waits behind this, and hears of a failure after this has.
        """
        call = Call(deadline=time.monotonic() + PATIENCE)
        row = await self.encoder(tag, TEXT, call)
        first()
        await self.runners(tag, row, call)  # no await may come between: see the promise
