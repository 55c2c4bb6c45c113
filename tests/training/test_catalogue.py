import csv
from pathlib import Path

import pytest
from pydantic import ValidationError

from models.languages import canonical
from training.catalogue import Language, catalogue, parse
from training.errors import UnknownLanguage

PROBE = Path(__file__).parent.parent / "fixtures" / "probe_sentences.tsv"
ROWS = list(catalogue().languages.values())

PACKAGE = """
[packages.some]
version = "1.0"
filename = "some-1.0.tar.gz"
sha256 = "{sha256}"
kind = "sdist"
licence = "MIT"
"""
LANGUAGE = """
[languages.xx]
covers = ["xx"]
locales = ["xx"]
"""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.tag)
def test_tags_are_canonical(row: Language) -> None:
    """A language has one spelling from the catalogue to the wire."""
    assert row.covers == tuple(canonical(tag) for tag in row.covers)
    assert row.tag == canonical(row.tag)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.tag)
def test_every_model_is_a_row_that_covers_its_own_language(row: Language) -> None:
    """Only `mul`, the whole vocabulary, stands for others."""
    assert (row.covers == (row.tag,)) == bool(row.scripts)


def test_mul_covers_the_languages_of_the_probe() -> None:
    """What is promised is what is probed."""
    with PROBE.open(encoding="utf-8") as file:
        probed = {canonical(line[0]) for line in csv.reader(file, delimiter="\t", quotechar=None)}

    assert set(catalogue().language("mul").covers) == probed


def test_mul_comes_first() -> None:
    """The model that answers everything is the first to be built."""
    assert next(iter(catalogue().languages)) == "mul"


def test_language_outside_the_fleet_is_named() -> None:
    """The error says what was asked and what there is."""
    with pytest.raises(UnknownLanguage, match=r"'tlh'.*mul, en"):
        catalogue().language("tlh")


def test_misspelt_field_is_refused() -> None:
    """A row with an unknown key is no row."""
    with pytest.raises(ValidationError, match="scrips"):
        parse(PACKAGE.format(sha256="0" * 64) + LANGUAGE + 'scrips = ["LATIN"]')


def test_package_without_a_whole_hash_is_refused() -> None:
    """Nothing is fetched that is not pinned."""
    with pytest.raises(ValidationError, match="sha256"):
        parse(PACKAGE.format(sha256="0" * 63) + LANGUAGE)


def test_rows_of_an_unknown_package_are_refused() -> None:
    """A language can't name a package that is not pinned."""
    rows = '[languages.xx.rows]\npackage = "other"\nmembers = ["a"]\nreader = "sqlite"'

    with pytest.raises(ValidationError, match="other"):
        parse(PACKAGE.format(sha256="0" * 64) + LANGUAGE + rows)
