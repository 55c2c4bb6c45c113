"""The hand-over from sync to service: which model answers which language."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from models.errors import ManifestInvalid
from models.identity import Tag

_LOG = logging.getLogger(__name__)


def _tag(value: Any) -> Any:  # noqa: ANN401  (pydantic hands over whatever the file holds)
    return Tag.parse(value) if isinstance(value, str) else value


StoredTag = Annotated[Tag, BeforeValidator(_tag), PlainSerializer(str)]


class Route(BaseModel):
    """Who answers one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: StoredTag
    challenger: StoredTag | None = None
    """Answers its share, or runs in the shadow, or does nothing yet."""
    share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Part of the requests that the challenger answers."""
    shadow: bool = False
    """Whether it runs on copies of what the champion answers, for comparison alone."""
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

    @property
    def tags(self) -> frozenset[Tag]:
        """Every model that a route names."""
        named = [(route.champion, route.challenger) for route in self.languages.values()]
        return frozenset(tag for pair in named for tag in pair if tag is not None)

    def to_bytes(self) -> bytes:
        """Return the JSON that `read` reads."""
        plain = self.model_dump(mode="json")
        return (json.dumps(plain, indent=2, sort_keys=True) + "\n").encode()


@dataclass(slots=True)
class WatchedRoutes:
    """The routes as they are now; a look never fails.

    A file that can't be read leaves the last good routes in force.
    """

    path: Path
    _routes: Routes = field(default_factory=Routes)
    _seen: tuple[int, int, int] | None = None

    def look(self) -> Mapping[str, Route]:
        """Return language -> route; the same object as long as nothing has changed."""
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._routes = Routes.read(self.path)
                self._seen = seen
        except FileNotFoundError:
            pass
        except OSError as error:  # it may pass: the next look reads again
            _LOG.warning("The routes stay as they were: %s", error)
        except ManifestInvalid as error:
            _LOG.warning("The routes stay as they were: %s", error)
            self._seen = seen
        return self._routes.languages
