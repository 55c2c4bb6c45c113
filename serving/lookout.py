"""What the detector looks for, as versions take over and the sync says what is to come."""

import asyncio
from collections.abc import Callable

from serving.router import Router

LOOK_SECONDS = 0.25


class Lookout:
    """Tells who looks for languages which of them can be answered, or are to come.

    A text in a language that is to come must not be taken for one of those that are here: it would
    never be asked for.
    """

    def __init__(self, router: Router, restrict: Callable[[frozenset[str]], None]) -> None:
        """Take who knows them, and whom to tell."""
        self._router = router
        self._restrict = restrict
        self._told: frozenset[str] | None = None
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look a few times a second from now on."""
        self._running = asyncio.get_running_loop().create_task(self._keep())

    def stop(self) -> None:
        """Look no longer."""
        if self._running:
            self._running.cancel()

    def look(self) -> None:
        """Tell what has changed."""
        answerable = self._router.answerable
        if answerable != self._told:
            self._told = answerable
            self._restrict(answerable)

    async def _keep(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)
