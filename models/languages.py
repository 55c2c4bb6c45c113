"""Language tags: BCP-47 in, canonical tags out, RFC 4647 lookup."""

from collections.abc import Container, Iterator
from functools import lru_cache

import langcodes

from models.errors import LanguageUnknown, MalformedLanguage

MULTILINGUAL = "mul"
"""The language of the model that answers what no other model does (ISO 639-2)."""

UNDETERMINED = "und"
"""The language of a text whose language could not be told (ISO 639-2)."""

LONGEST_TAG = 35
"""Characters; the longest tag that RFC 5646 §4.4.1 asks to be held."""


@lru_cache(maxsize=4096)
def canonical(tag: str) -> str:
    """Return the canonical spelling of a BCP-47 tag: `pt-br` -> `pt-BR`, `iw` -> `he`.

    Raises MalformedLanguage for what is no tag, LanguageUnknown for what is not registered
    (IANA language subtag registry, as the langcodes library has it).
    """
    if len(tag) > LONGEST_TAG or not tag.isascii():
        message = f"{tag[:LONGEST_TAG]!r} is not a BCP-47 language tag such as 'de' or 'pt-BR'"
        raise MalformedLanguage(message)
    try:
        known = langcodes.tag_is_valid(tag)
        spelling = langcodes.standardize_tag(tag)
    except ValueError:
        message = f"{tag!r} is not a BCP-47 language tag such as 'de' or 'pt-BR'"
        raise MalformedLanguage(message) from None
    if not known:
        message = f"{tag!r} is well formed, but not in the IANA language subtag registry"
        raise LanguageUnknown(message)
    return spelling


def ranges(tag: str) -> Iterator[str]:
    """Yield the canonical tag and what is left as RFC 4647 §3.4 cuts it from the end."""
    parts = tag.split("-")
    while parts:
        yield "-".join(parts)
        parts.pop()
        while parts and len(parts[-1]) == 1:
            parts.pop()


def lookup(tag: str, served: Container[str]) -> str | None:
    """Return the most specific served language for a canonical tag; None where there is none."""
    return next((candidate for candidate in ranges(tag) if candidate in served), None)
