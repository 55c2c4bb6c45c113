"""Text to language, and how it is known."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from models.errors import LanguageUnknown
from models.languages import UNDETERMINED, canonical

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

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
        """Take the confidence below which a language counts as unknown.

        The identifier (4.6 MB) is unpacked by another thread, which takes a core half a second;
        a start does not wait for it, the first text to be detected does.
        """
        loader = ThreadPoolExecutor(1, "detector")
        self._loading = loader.submit(_identifier)
        loader.shutdown(wait=False)
        self._min_confidence = min_confidence
        self._wanted: frozenset[str] = frozenset()

    def restrict(self, served: Iterable[str]) -> None:
        """Look only for these languages (canonical tags); for all where it knows none of them."""
        self._wanted = frozenset(served)
        self.__dict__.pop("_served", None)

    @cached_property
    def _identifier(self) -> "LanguageIdentifier":
        return self._loading.result()

    @cached_property
    def _codes(self) -> dict[str, str]:
        return _canonical_codes(self._identifier.labels)

    @cached_property
    def _served(self) -> frozenset[str]:
        known = frozenset(self._codes.values())
        return self._wanted & known or known

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


def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  (with numpy)

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _canonical_codes(codes: Iterable[str]) -> dict[str, str]:
    known = {}
    for code in codes:
        try:
            known[code] = canonical(code)
        except LanguageUnknown:  # pragma: no cover  (a code of the model that IANA lacks)
            continue
    return known
