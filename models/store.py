"""Where models lie on disk: the BentoML store, read."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from models.identity import Tag


@dataclass(frozen=True, slots=True)
class Store:
    """The BentoML store below `$BENTOML_HOME`, and what Polysent keeps beside it.

    `models/<name>/<version>/` is BentoML's layout (1.4), which `bentoml models list` shows;
    everything that is ours lies in `polysent/`.
    """

    home: Path

    @classmethod
    def default(cls) -> Self:
        """Return the store that `bentoml` itself uses here."""
        home = os.environ.get("BENTOML_HOME")
        return cls(Path(home) if home else Path.home() / "bentoml")

    def path(self, tag: Tag) -> Path:
        """Return the folder of a model, whether it is there or not."""
        return self.home / "models" / tag.name / tag.version

    @property
    def routes(self) -> Path:
        """The hand-over from sync to service."""
        return self.home / "polysent" / "routes.json"

    @property
    def token(self) -> Path:
        """What the control plane of a service over this store asks for, where no setting says."""
        return self.home / "polysent" / "admin.token"

    @property
    def keys(self) -> Path:
        """The hashes of the API keys of a service over this store, where no setting says."""
        return self.home / "polysent" / "keys.json"
