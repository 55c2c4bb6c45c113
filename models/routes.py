"""The hand-over from sync to service: which model answers which language."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from models.errors import ManifestInvalid
from models.identity import Tag

_LOG = logging.getLogger(__name__)

CHECKED_EVERY = 0.25
"""Seconds between two looks at the file."""


def _tag(value: Any) -> Any:  # noqa: ANN401  (pydantic hands over whatever the file holds)
    return Tag.parse(value) if isinstance(value, str) else value


StoredTag = Annotated[Tag, BeforeValidator(_tag), PlainSerializer(str)]


class Route(BaseModel):
    """Who answers one language; challenger, share and shadow are kept for the canary to come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: StoredTag
    challenger: StoredTag | None = None
    share: Annotated[float, Field(ge=0, le=1)] = 0.0
    shadow: bool = False
    covers: tuple[str, ...] = ()
    """Languages that the champion is meant for."""


class Routes(BaseModel):
    """All routes, by canonical language tag."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: dict[str, Route] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file; no file means no routes, ManifestInvalid says what is wrong with it."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            message = f"{path}: {error}"
            raise ManifestInvalid(message) from error

    def to_bytes(self) -> bytes:
        """Return the JSON that `read` reads."""
        plain = self.model_dump(mode="json")
        return (json.dumps(plain, indent=2, sort_keys=True) + "\n").encode()


def _nothing(_: Mapping[str, Route]) -> None:
    pass


@dataclass(slots=True)
class WatchedRoutes:
    """The routes as they are now, looked up at a call, a few times a second; never fails.

    A file that can't be read leaves the last good routes in force. `changed` is called with
    each new set of routes.
    """

    path: Path
    changed: Callable[[Mapping[str, Route]], None] = _nothing
    clock: Callable[[], float] = time.monotonic
    _routes: Routes = field(default_factory=Routes)
    _seen: tuple[int, int, int] | None = None
    _looked: float = float("-inf")

    def __call__(self) -> Mapping[str, Route]:
        """Return language -> route."""
        now = self.clock()
        if now - self._looked >= CHECKED_EVERY:
            self._looked = now
            self._look()
        return MappingProxyType(self._routes.languages)

    def _look(self) -> None:
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen == self._seen:
                return
            routes = Routes.read(self.path)
        except FileNotFoundError:
            return
        except OSError as error:  # it may pass: the next look reads again
            _LOG.warning("The routes stay as they were: %s", error)
            return
        except ManifestInvalid as error:
            _LOG.warning("The routes stay as they were: %s", error)
        else:
            self._routes = routes
            self.changed(routes.languages)
        self._seen = seen
