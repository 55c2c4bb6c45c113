"""What a model is called, everywhere."""

import re
from dataclasses import dataclass
from typing import Self

from models.languages import canonical

PREFIX = "sentiment-"
_TAG = re.compile(
    rf"{PREFIX}(?P<language>[a-z0-9-]+):v(?P<version>\d{{6}})-(?P<digest>[0-9a-f]{{8}})"
)


def registered_name(language: str) -> str:
    """Return the name of a language's model in MLflow, in the store and in answers."""
    return f"{PREFIX}{language}"


@dataclass(frozen=True, slots=True, order=True)
class ModelId:
    """One registered set of weights: a canonical BCP-47 tag and the MLflow version number."""

    language: str
    version: int

    @property
    def name(self) -> str:
        """The registered name, `sentiment-de`."""
        return registered_name(self.language)

    def __str__(self) -> str:
        """`sentiment-de:3`, for people."""
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """A model in the BentoML store: `sentiment-de:v000003-1a2b3c4d`.

    The width is fixed because BentoML finds models by prefix (`x:1` finds `x:12`), the digest is
    the first 8 hex digits of the manifest's sha256; BentoML keeps tags in lower case.
    """

    model: ModelId
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a tag; ValueError where it is none of ours."""
        match = _TAG.fullmatch(text)
        if match is None:
            message = f"{text!r} is not a tag such as sentiment-de:v000003-1a2b3c4d"
            raise ValueError(message)
        language = canonical(match["language"])
        return cls(ModelId(language, int(match["version"])), match["digest"])

    @property
    def name(self) -> str:
        """The store's folder of all versions of this language."""
        return self.model.name.lower()

    @property
    def version(self) -> str:
        """The store's folder of this version."""
        return f"v{self.model.version:06d}-{self.digest}"

    def __str__(self) -> str:
        """Spell it as BentoML does."""
        return f"{self.name}:{self.version}"
