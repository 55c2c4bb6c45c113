from training.lexicon import Lexicon


def test_valences_of_the_words_add_up() -> None:
    """Case and punctuation do not matter, unknown words count nothing."""
    words = Lexicon({"good": 3.0, "slow": -1.0}, spaced=True)

    assert words.score("Good, but slow.") == 2.0


def test_longest_word_counts_where_nothing_parts_them() -> None:
    """Chinese, Japanese and Thai are matched from the left."""
    words = Lexicon({"不好": -2.0, "好": 3.0}, spaced=False)

    assert words.score("这本书不好") == -2.0
    assert words.score("好") == 3.0
