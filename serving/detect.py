"""Text to language, and how it is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from models.errors import LanguageUnknown
from models.languages import UNDETERMINED, canonical

Source = Literal["given", "detected", "fallback"]


@dataclass(frozen=True, slots=True)
class Language:
    """A canonical tag, and how it is known.

    `given` by the caller (confidence 1), `detected` in the text, or `fallback`: the text did not
    tell (the tag is `und`, the confidence that of the best guess).
    """

    tag: str
    source: Source
    confidence: float


class Detector:
    """Tells which of the served languages a text is in (py3langid: naive Bayes on byte n-grams)."""

    def __init__(self, min_confidence: float) -> None:
        """Load the identifier (4.6 MB); below min_confidence a language counts as unknown."""
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._codes = _canonical_codes(self._identifier.labels)
        self._min_confidence = min_confidence
        self._served: frozenset[str] = frozenset()

    def restrict(self, served: Iterable[str]) -> None:
        """Look only for these languages (canonical tags); for all where it knows none of them."""
        wanted = frozenset(served)
        if wanted == self._served:
            return
        self._served = wanted
        self._identifier.set_languages(
            [code for code, tag in self._codes.items() if tag in wanted] or None
        )

    def __call__(self, text: str, given: str | None) -> Language:
        """Return the given language (a canonical tag), else the most likely one.

        It is `und` where the most likely one is less likely than min_confidence.
        """
        if given is not None:
            return Language(given, "given", 1.0)
        code, confidence = self._identifier.classify(text)
        confidence = round(confidence, 4)
        if confidence < self._min_confidence:
            return Language(UNDETERMINED, "fallback", confidence)
        return Language(self._codes[code], "detected", confidence)


def _canonical_codes(codes: Iterable[str]) -> dict[str, str]:
    known = {}
    for code in codes:
        try:
            known[code] = canonical(code)
        except LanguageUnknown:  # pragma: no cover  (a code of the model that IANA lacks)
            continue
    return known
