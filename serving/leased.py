"""The versions that must not be removed while this service answers from them."""

import logging

from models.identity import Tag
from models.leases import Lease, Leases

_LOG = logging.getLogger(__name__)


class Leased:
    """Holds the lease of every version that answers or is to, in memory or not."""

    def __init__(self, leases: Leases) -> None:
        """Hold none yet."""
        self._leases = leases
        self._held: dict[Tag, Lease] = {}

    def retain(self, tags: frozenset[Tag]) -> None:
        """Hold these and no others; what is being removed just now is not held."""
        for tag in self._held.keys() - tags:
            self._held.pop(tag).release()
        try:
            for tag in tags - self._held.keys():
                if lease := self._leases.use(tag):
                    self._held[tag] = lease
        except OSError as error:
            _LOG.warning("nothing keeps the models from being removed: %s", error)
