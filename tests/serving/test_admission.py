import pytest

from models.errors import EmptyText, LanguageConflict, TextTooLong
from serving.admission import admitted, given


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000\u00a0", "\u200b\ufeff", "\x00"])
def test_blank_text_is_refused(text: str) -> None:
    """White space of any script is no text."""
    with pytest.raises(EmptyText):
        admitted(text, 10)


def test_longest_text_is_admitted_and_one_more_character_is_not() -> None:
    """The limit itself is allowed."""
    assert admitted("x" * 10, 10) == "x" * 10
    with pytest.raises(TextTooLong):
        admitted("x" * 11, 10)


def test_two_spellings_of_one_language_agree() -> None:
    """Body, path and header are compared as languages, not as strings."""
    assert given("pt-br", None, "pt-BR") == "pt-BR"


def test_two_languages_do_not() -> None:
    """A balancer that routes by the header must not be fooled by the body."""
    with pytest.raises(LanguageConflict):
        given("de", "fr")


def test_no_language_is_none() -> None:
    """Nothing named means: detect."""
    assert given(None, None) is None
