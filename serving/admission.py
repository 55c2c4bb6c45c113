"""What a request must be before any work is done for it."""

import unicodedata

from models.errors import EmptyText, LanguageConflict, TextTooLong
from models.languages import canonical


def admitted(text: str, max_chars: int) -> str:
    """Return the text without the white space around it; EmptyText or TextTooLong otherwise."""
    if len(text) > max_chars:
        message = f"{len(text)} characters; at most {max_chars}"
        raise TextTooLong(message)
    if all(unicodedata.category(character)[0] in "ZC" for character in text):
        message = "there is nothing but white space in `text`"
        raise EmptyText(message)
    return text.strip()


def given(*spelled: str | None) -> str | None:
    """Return the canonical tag that the caller named in body, path or header, or None.

    Raises MalformedLanguage, LanguageUnknown, or LanguageConflict where two of them differ.
    """
    tags = {canonical(tag) for tag in spelled if tag is not None}
    if len(tags) > 1:
        message = f"the request names {' and '.join(sorted(tags))}"
        raise LanguageConflict(message)
    return next(iter(tags), None)
