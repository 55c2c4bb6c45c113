"""Whether what the registry names is here: a new replica should refuse none of its languages."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from models.coming import Coming
from models.identity import ModelId
from models.store import Store
from serving.sync_age import failing, sync_age


@dataclass(slots=True)
class Arrival:
    """True once all has come or has failed to, or after so many seconds; then always.

    All is every champion that the sync brings without being asked for it.
    """

    store: Store
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _began: float = field(init=False)
    _over: bool = False

    def __post_init__(self) -> None:
        """Begin to wait."""
        self._began = self.clock()

    def __call__(self) -> bool:
        """Say whether there is nothing left to wait for."""
        self._over = self._over or self._waited() or self._complete()
        return self._over

    def _waited(self) -> bool:
        return self.clock() - self._began >= self.seconds

    def _complete(self) -> bool:
        age = sync_age(self.store, time.time())
        if age is None or age > self.clock() - self._began:  # it was said of another run
            return False
        unasked = Coming(self.store).missing().unasked
        missing = {str(ModelId(*each)) for each in unasked.items()}
        return missing <= failing(self.store)
