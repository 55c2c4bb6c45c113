import pytest

from models.errors import LanguageUndetermined, LanguageUnsupported, NothingServed
from models.identity import ModelId, Tag
from models.routes import Route
from serving.router import Router


def router(*languages: str) -> Router:
    """Return a router to one champion per language."""
    covers = {"mul": ("fi", "sw")}
    routes = {
        language: Route(
            champion=Tag(ModelId(language, 1), "00000000"), covers=covers.get(language, ())
        )
        for language in languages
    }
    return Router(routes)


@pytest.mark.parametrize(
    ("asked", "answers"),
    [("de", "de"), ("de-AT", "de"), ("pt-BR", "mul"), ("und", "mul"), ("mul", "mul")],
)
def test_most_specific_model_answers_and_the_multilingual_one_the_rest(
    asked: str, answers: str
) -> None:
    """RFC 4647 lookup first, then the fallback."""
    assert router("de", "mul").choose(asked).model.language == answers


def test_language_without_a_model_or_fallback_is_unsupported() -> None:
    """The refusal lists what is served."""
    with pytest.raises(LanguageUnsupported, match="served: de, fr"):
        router("de", "fr").choose("fi")


def test_undetermined_language_without_a_fallback_is_its_own_error() -> None:
    """The caller is told to name the language."""
    with pytest.raises(LanguageUndetermined):
        router("de").choose("und")


def test_empty_store_is_unavailable_not_unsupported() -> None:
    """Nothing served yet is a 503: the same request succeeds later."""
    with pytest.raises(NothingServed):
        router().choose("de")


def test_what_can_be_answered_is_what_has_a_model_or_is_covered() -> None:
    """The detector looks for these, and `mul` is no language to find."""
    assert router("de", "mul").answerable == {"de", "fi", "sw"}
