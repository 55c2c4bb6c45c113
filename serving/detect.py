"""Text to language, and how it is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from models.errors import LanguageUnknown
from models.languages import UNDETERMINED, canonical

Source = Literal["given", "detected", "fallback"]

LONGEST_CHARS = 1_000
"""Characters of a text that tell its language; more take time and tell no more."""

LEAST_TOGETHER = 0.2
"""Least likelihood of all served languages together, for the text to be in one of them."""


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
        self._served = frozenset(self._codes.values())

    def restrict(self, served: Iterable[str]) -> None:
        """Look only for these languages (canonical tags); for all where it knows none of them."""
        wanted = frozenset(served) & frozenset(self._codes.values())
        self._served = wanted or frozenset(self._codes.values())

    def __call__(self, text: str, given: str | None) -> Language:
        """Return the given language (a canonical tag), else the most likely served one.

        Its confidence is its share among the served ones. It is `und` where that is below
        min_confidence, or where the text is most likely in a language that is not served.
        """
        if given is not None:
            return Language(given, "given", 1.0)
        ranked = [
            (self._codes[code], likelihood)
            for code, likelihood in self._identifier.rank(text[:LONGEST_CHARS])
            if self._codes.get(code) in self._served
        ]
        tag, likelihood = ranked[0]
        together = sum(each for _, each in ranked)
        confidence = round(likelihood / together, 4) if together else 0.0
        if together < LEAST_TOGETHER or confidence < self._min_confidence:
            return Language(UNDETERMINED, "fallback", round(likelihood, 4))
        return Language(tag, "detected", confidence)


def _canonical_codes(codes: Iterable[str]) -> dict[str, str]:
    known = {}
    for code in codes:
        try:
            known[code] = canonical(code)
        except LanguageUnknown:  # pragma: no cover  (a code of the model that IANA lacks)
            continue
    return known
