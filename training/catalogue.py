"""The pinned packages and the languages of the demo fleet, as checked rows of catalogue.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.errors import UnknownLanguage


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Package(_Row):
    """One file of a package registry: which, and the sha256 it must have."""

    name: str
    version: str
    filename: str = Field(pattern=r"^[A-Za-z0-9._+-]+$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    kind: Literal["wheel", "sdist", "npm"]
    licence: str


class RowSource(_Row):
    """Where a language's labelled rows lie; at most `most` of them are used."""

    package: str
    members: tuple[str, ...]
    reader: Literal["polarity-csv", "line-files", "sqlite"]
    most: int = Field(default=1_000_000, gt=0)


class Language(_Row):
    """One model of the fleet; every difference between languages is a field here."""

    tag: str
    covers: tuple[str, ...] = Field(min_length=1)
    head: str = "shared"
    scripts: frozenset[str] = frozenset()
    words: str | None = None
    locales: tuple[str, ...] = Field(min_length=1)
    source_side: bool = False
    spaced: bool = True
    rows: RowSource | None = None


class Catalogue(_Row):
    """All of catalogue.toml; every package and row that a language names is in it."""

    packages: dict[str, Package]
    languages: dict[str, Language]

    @model_validator(mode="after")
    def _sources_are_packages(self) -> Self:
        for language in self.languages.values():
            if language.rows is not None and language.rows.package not in self.packages:
                message = f"{language.tag}: no package {language.rows.package!r}"
                raise ValueError(message)
        return self

    def language(self, tag: str) -> Language:
        """Return the row of `tag`, exactly as spelled there; `UnknownLanguage` without one."""
        try:
            return self.languages[tag]
        except KeyError:
            known = ", ".join(self.languages)
            message = f"no {tag!r} in the demo fleet; it has {known}"
            raise UnknownLanguage(message) from None

    def labelled(self) -> tuple[Language, ...]:
        """Return the languages that have labelled rows, in the order of the file."""
        return tuple(row for row in self.languages.values() if row.rows is not None)


def parse(text: str) -> Catalogue:
    """Return the catalogue written in `text` (TOML); `ValidationError` when a row is wrong."""
    tables = tomllib.loads(text)
    return Catalogue.model_validate(
        {
            "packages": {key: {"name": key, **row} for key, row in tables["packages"].items()},
            "languages": {key: {"tag": key, **row} for key, row in tables["languages"].items()},
        }
    )


@cache
def catalogue() -> Catalogue:
    """Return the catalogue that ships with this package; read once per process."""
    return parse(Path(__file__).with_name("catalogue.toml").read_text("utf-8"))
