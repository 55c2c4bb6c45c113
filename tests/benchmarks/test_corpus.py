import random
from statistics import mean

from tokenizers import Tokenizer, models, pre_tokenizers

from benchmarks.corpus import LONGEST, SHORTEST, Corpus, length

WORDS = [f"w{number}" for number in range(300)]


def word_tokenizer() -> Tokenizer:
    """Return a tokenizer whose tokens are words."""
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, "w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def test_lengths_are_those_that_facts_were_measured_with() -> None:
    """Mean 26 tokens, 95th percentile 62, the two special ones counted."""
    chance = random.Random(0)  # noqa: S311
    lengths = sorted(length(chance) + 2 for _ in range(20_000))

    assert 25 < mean(lengths) < 27
    assert 58 < lengths[19_000] < 66
    assert (lengths[0], lengths[-1]) == (SHORTEST, LONGEST)


def test_no_text_comes_twice() -> None:
    """A cache, or a lucky page, must have nothing to work with."""
    corpus = Corpus.__new__(Corpus)
    corpus._given = set()
    messages = [" ".join(WORDS[start : start + 10]) for start in range(0, 300, 10)]
    chance = random.Random(0)  # noqa: S311
    stream = corpus._stream(messages, word_tokenizer(), chance)

    texts = [next(stream) for _ in range(2_000)]

    assert len(set(texts)) == 2_000
