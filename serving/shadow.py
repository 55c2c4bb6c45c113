"""Challengers on copies of the traffic: they are compared with the champions, and answer nobody."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from models.artifact import Model
from models.errors import Overloaded, PolysentError
from models.identity import Tag
from models.labels import LABELS, Scores, best
from models.residency import Residency
from models.routes import Route
from serving.call import Call, Urgency
from serving.encoder import Encoder
from serving.runner import Runners

_LOG = logging.getLogger(__name__)

AT_A_TIME = 32
"""Copies that may be under way; one more is dropped."""
PATIENCE = 5.0
"""Seconds after which a copy is no longer worth computing."""

Outcome = Literal["agreed", "differed", "dropped", "failed"]


@dataclass(frozen=True, slots=True)
class Shadowed:
    """One copy: whether both choose the same label, and how far their scores are apart.

    `difference` is the mean over the labels of the absolute difference of their probabilities;
    None where there is nothing to compare.
    """

    language: str
    outcome: Outcome
    difference: float | None = None


def compared(language: str, champion: Scores, challenger: Scores) -> Shadowed:
    """Compare two answers to one text."""
    labels = [label for label in LABELS if label in champion or label in challenger]
    apart = sum(abs(champion.get(one, 0.0) - challenger.get(one, 0.0)) for one in labels)
    same = best(champion) == best(challenger)
    return Shadowed(language, "agreed" if same else "differed", apart / len(labels))


class Shadow:
    """Lets challengers run on copies of what champions have answered.

    1. Nobody waits for them: they come after the answer, behind all that is interactive.
    2. Where they would be in the way they are dropped: too many at a time, a full queue, or no
       room for the challenger unless another model is closed.
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        models: Residency[Tag, Model],
        encoder: Encoder,
        runners: Runners,
        note: Callable[[Shadowed], None],
    ) -> None:
        """Take who answers, by language, and the stations of the path behind the cache."""
        self._routes = routes
        self._models = models
        self._encoder = encoder
        self._runners = runners
        self._note = note
        self._running: set[asyncio.Task[None]] = set()

    def __call__(self, tag: Tag, text: str, scores: Scores) -> None:
        """Take note of an answer; returns at once, and never fails."""
        language = tag.model.language
        route = self._routes.get(language)
        if route is None or not route.shadow or route.challenger is None or tag != route.champion:
            return
        if len(self._running) >= AT_A_TIME:
            self._note(Shadowed(language, "dropped"))
            return
        task = asyncio.get_running_loop().create_task(self._copy(route.challenger, text, scores))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def close(self) -> None:
        """Drop what is under way."""
        for task in self._running:
            task.cancel()

    async def _copy(self, challenger: Tag, text: str, scores: Scores) -> None:
        language = challenger.model.language
        try:
            said = compared(language, scores, await self._scores(challenger, text))
        except Overloaded:
            said = Shadowed(language, "dropped")
        except PolysentError:
            said = Shadowed(language, "failed")
        except Exception:  # noqa: BLE001  (nobody waits: it is counted)
            _LOG.exception("%s failed in the shadow", challenger.model)
            said = Shadowed(language, "failed")
        self._note(said)

    async def _scores(self, challenger: Tag, text: str) -> Scores:
        if self._models.state(challenger) == "cold":
            nbytes = await asyncio.to_thread(self._models.claims, challenger)
            if not self._models.fits(nbytes):
                message = f"{challenger.model} would close another model"
                raise Overloaded(message)
        call = Call(time.monotonic() + PATIENCE, Urgency.BULK)
        row = await self._encoder(challenger, text, call)
        return await self._runners(challenger, row, call)
