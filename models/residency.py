"""Which models are open, and who is using them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Container
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from models.artifact import Artifact
from models.errors import ModelUnavailable
from models.identity import Tag

_LOG = logging.getLogger(__name__)

OpenModel = Callable[[Tag], Artifact]
"""Opens a model; called off the event loop."""


@dataclass(slots=True, eq=False)
class _Resident:
    opening: asyncio.Future[Artifact]
    leases: int = 0


class Residency:
    """Opens models on their first request and keeps them open.

    1. At most one load per tag at any time; others wait for it.
    2. A leased model is never closed.
    3. A load that failed is forgotten: the next request tries again.
    """

    def __init__(self, open_model: OpenModel) -> None:
        """Take the function that opens a model."""
        self._open = open_model
        self._residents: dict[Tag, _Resident] = {}
        self._wanted: Container[Tag] | None = None
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load")

    @property
    def resident(self) -> frozenset[Tag]:
        """The tags that are open, or being opened."""
        return frozenset(self._residents)

    @asynccontextmanager
    async def lease(self, tag: Tag) -> AsyncIterator[Artifact]:
        """Hold a model open, opening it first where it is not.

        Raises ModelUnavailable where it can't be opened. A caller that leaves while the model
        is being opened does not stop that.
        """
        resident = self._residents.get(tag) or self._start(tag)
        resident.leases += 1  # before any await: no gap for `retain`
        try:
            yield await asyncio.shield(resident.opening)
        except OpenFailed as error:
            raise ModelUnavailable(str(error)) from error.__cause__
        finally:
            resident.leases -= 1
            self._close_if_idle(tag, resident)

    def retain(self, wanted: Container[Tag]) -> None:
        """From now on close what is not wanted, each model once its last lease has ended."""
        self._wanted = wanted
        for tag, resident in list(self._residents.items()):
            self._close_if_idle(tag, resident)

    def close(self) -> None:
        """Close every model that no one holds, and the loader."""
        self.retain(frozenset())
        self._loader.shutdown(wait=False, cancel_futures=True)

    def _start(self, tag: Tag) -> _Resident:
        resident = _Resident(asyncio.ensure_future(self._load(tag)))
        self._residents[tag] = resident
        resident.opening.add_done_callback(lambda _: self._opened(tag, resident))
        return resident

    async def _load(self, tag: Tag) -> Artifact:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._loader, self._open, tag)
        except asyncio.CancelledError:
            message = f"{tag.model} is not opened any more: the service stops"
            raise OpenFailed(message) from None
        except Exception as error:
            _LOG.exception("%s can't be opened", tag)
            message = f"{tag.model} can't be opened; the service's log says why"
            raise OpenFailed(message) from error

    def _opened(self, tag: Tag, resident: _Resident) -> None:
        if resident.opening.exception() is None:
            self._close_if_idle(tag, resident)
        elif self._residents.get(tag) is resident:
            del self._residents[tag]

    def _close_if_idle(self, tag: Tag, resident: _Resident) -> None:
        retired = self._wanted is not None and tag not in self._wanted
        idle = not resident.leases and resident.opening.done()
        if retired and idle and self._residents.get(tag) is resident:
            del self._residents[tag]
            resident.opening.result().engine.close()


class OpenFailed(Exception):
    """A load failed; each waiter turns it into its own ModelUnavailable."""
