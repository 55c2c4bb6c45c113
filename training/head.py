"""The linear head of a model: 384 weights and a bias, as committed JSON."""

import hashlib
import json
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

LABELS = ("negative", "positive")
FOLDER = Path(__file__).with_name("heads")


class Lot(BaseModel):
    """The train rows of one language: how many, and the sha256 over them in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    sha256: str


class Head(BaseModel):
    """`weight @ feature + bias` is the log-odds of "positive", calibrated.

    The feature is the mean over the tokens of the encoder's last states, layer-normed (384,).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    weight: tuple[float, ...]
    bias: float
    prior: str = ""
    """The digest of the head that this one's prior is centred on; empty for the shared one."""
    trained_on: dict[str, Lot] = {}
    packages: dict[str, str] = {}
    """The sha256 of each package that the rows and the encoder come from."""
    settings: dict[str, float] = {}
    """The strength that cross-validation on the train rows chose, the temperature divided out."""

    @classmethod
    def load(cls, name: str, folder: Path = FOLDER) -> Self:
        """Return the committed head `name`; `OSError` when there is none."""
        return cls.model_validate_json((folder / f"{name}.json").read_text("utf-8"))

    @classmethod
    def blank(cls, width: int) -> Self:
        """Return a head that says nothing, for a checkpoint that is only asked for features."""
        return cls(name="blank", weight=(0.0,) * width, bias=0.0)

    def save(self, folder: Path = FOLDER) -> None:
        """Write the head to `folder` under its name, one number a line."""
        text = json.dumps(self.model_dump(), indent=0, ensure_ascii=False)
        (folder / f"{self.name}.json").write_text(text + "\n", "utf-8")

    def digest(self) -> str:
        """Return the sha256 over the numbers and what they were made from."""
        canonical = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
