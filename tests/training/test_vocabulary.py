from dataclasses import dataclass
from types import SimpleNamespace

from training.vocabulary import by_script, by_words, indispensable, scripts

PIECES = ["<s>", "▁the", "▁хорошо", "▁good", "х", "x", "▁2", "日", "▁хx", "!!"]
SCRIPTS = [scripts(piece) for piece in PIECES]
CYRILLIC = frozenset({"CYRILLIC"})
LATIN = frozenset({"LATIN"})


@dataclass
class FakeEncoder:
    """Knows one piece for each text."""

    pieces: list[str]

    def encode_batch(self, texts: list[str], *, add_special_tokens: bool) -> list[SimpleNamespace]:
        """Return the id of "▁text" where it is a piece."""
        assert not add_special_tokens
        known = [[i for i, p in enumerate(self.pieces) if p == "▁" + text] for text in texts]
        return [SimpleNamespace(ids=ids) for ids in known]


def test_scripts_are_those_of_the_letters() -> None:
    """Digits, signs and the word mark belong to none."""
    assert scripts("▁хx2!") == {"CYRILLIC", "LATIN"}
    assert scripts("▁2!") == frozenset()


def test_most_frequent_pieces_of_the_script_are_kept() -> None:
    """The order of the vocabulary is that of frequency."""
    pieces = ["▁the", "▁хорошо", "▁good", "▁film"]

    assert by_script([scripts(piece) for piece in pieces], LATIN, most=2) == {0, 2}


def test_other_scripts_keep_some_latin() -> None:
    """Names and brands are written in Latin everywhere."""
    kept = by_script(SCRIPTS, CYRILLIC, most=1)

    assert PIECES.index("▁хорошо") in kept
    assert PIECES.index("▁good") in kept
    assert PIECES.index("▁хx") not in kept


def test_single_letters_and_symbols_are_always_kept() -> None:
    """No text of the script becomes unknown."""
    kept = indispensable(PIECES, SCRIPTS, CYRILLIC)

    assert kept == {PIECES.index(piece) for piece in ("<s>", "х", "▁2", "!!")}


def test_words_keep_their_pieces_capitalised_too() -> None:
    """A sentence begins with a capital."""
    pieces = ["▁good", "▁Good", "▁bad"]

    assert by_words(["good"], FakeEncoder(pieces)) == {0, 1}
