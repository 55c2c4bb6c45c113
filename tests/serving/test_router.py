import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.coming import Coming, Missing
from models.errors import (
    LanguageUndetermined,
    LanguageUnsupported,
    NothingServed,
    NotYetFetched,
)
from models.identity import ModelId, Tag
from models.routes import Route
from models.store import Store
from serving.router import FAILING_SECONDS, Router


@pytest.fixture
def coming(tmp_path: Path) -> Coming:
    """Return what an empty store is told to come: nothing."""
    return Coming(Store(tmp_path))


@pytest.fixture
def router(coming: Coming) -> Callable[..., Router]:
    """Return a function that makes a router to one champion per language."""

    def make(*languages: str) -> Router:
        covers = {"mul": ("fi", "sw")}
        routes = {
            language: Route(
                champion=Tag(ModelId(language, 1), "00000000"), covers=covers.get(language, ())
            )
            for language in languages
        }
        return Router(routes, coming)

    return make


def tell(coming: Coming, **versions: int) -> None:
    """Say which champions come when they are asked for, as the sync does."""
    coming.path.parent.mkdir(exist_ok=True)
    coming.path.write_text(Missing(on_request=versions).model_dump_json())


def fail(coming: Coming, *models: str) -> None:
    """Say what could not be fetched, as the sync does."""
    said = {"at": 0.0, "failing": dict.fromkeys(models, "the connection was cut")}
    (coming.path.parent / "sync.json").write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("asked", "answers"),
    [("de", "de"), ("de-AT", "de"), ("pt-BR", "mul"), ("und", "mul"), ("mul", "mul")],
)
def test_most_specific_model_answers_and_the_multilingual_one_the_rest(
    router: Callable[..., Router], asked: str, answers: str
) -> None:
    """RFC 4647 lookup first, then the fallback."""
    assert router("de", "mul").choose(asked).model.language == answers


def test_language_without_a_model_or_fallback_is_unsupported(router: Callable[..., Router]) -> None:
    """The refusal lists what is served."""
    with pytest.raises(LanguageUnsupported, match="served: de, fr"):
        router("de", "fr").choose("fi")


def test_undetermined_language_without_a_fallback_is_its_own_error(
    router: Callable[..., Router],
) -> None:
    """The caller is told to name the language."""
    with pytest.raises(LanguageUndetermined):
        router("de").choose("und")


def test_empty_store_is_unavailable_not_unsupported(router: Callable[..., Router]) -> None:
    """Nothing served yet is a 503: the same request succeeds later."""
    with pytest.raises(NothingServed):
        router().choose("de")


def test_what_can_be_answered_is_what_has_a_model_or_is_covered(
    router: Callable[..., Router],
) -> None:
    """The detector looks for these, and `mul` is no language to find."""
    assert router("de", "mul").answerable == {"de", "fi", "sw"}


def test_language_that_is_on_its_way_is_asked_for(
    router: Callable[..., Router], coming: Coming
) -> None:
    """503, for the same request succeeds later; the sync brings it before the others."""
    tell(coming, de=3, fr=1)

    with pytest.raises(NotYetFetched, match="sentiment-de:3") as refused:
        router("en").choose("de-AT")

    assert refused.value.retry_after == NotYetFetched.retry_after
    assert coming.asked() == {"de"}


def test_language_that_could_not_be_fetched_is_worth_a_longer_wait(
    router: Callable[..., Router], coming: Coming
) -> None:
    """The sync rests, too; the wish is kept, and another version of the language is new."""
    tell(coming, de=3, fr=2)
    fail(coming, "sentiment-de:3", "sentiment-fr:1")

    with pytest.raises(NotYetFetched, match="could not be fetched") as refused:
        router("en").choose("de")
    with pytest.raises(NotYetFetched) as another:
        router("en").choose("fr")

    assert refused.value.retry_after == FAILING_SECONDS
    assert another.value.retry_after == NotYetFetched.retry_after
    assert coming.asked() == {"de", "fr"}


@pytest.mark.parametrize(
    ("language", "answers", "wished"),
    [
        ("de", "mul", {"de"}),
        ("de-AT", "mul", {"de"}),
        ("pt-BR", "pt", {"pt-BR"}),
        ("pt-PT", "pt", set()),
        ("fr-CA", "fr", set()),
        ("fi", "mul", set()),
        ("und", "mul", set()),
    ],
)
def test_language_that_another_model_answers_meanwhile_is_asked_for(
    router: Callable[..., Router], coming: Coming, language: str, answers: str, wished: set[str]
) -> None:
    """Where the one that is to come is more specific, and not otherwise."""
    coming.path.parent.mkdir(exist_ok=True)
    on_request = {"de": 3, "pt-BR": 1, "fr": 2, "mul": 2}
    coming.path.write_text(Missing(on_request=on_request).model_dump_json())

    assert router("mul", "pt", "fr").choose(language).model.language == answers

    assert coming.asked() == wished


def test_what_is_not_to_come_is_not_asked_for(
    router: Callable[..., Router], coming: Coming
) -> None:
    """Nobody could fulfil it."""
    tell(coming, de=3)

    with pytest.raises(LanguageUnsupported):
        router("en").choose("fi")

    assert not coming.asked()


def test_detector_knows_what_is_on_its_way(router: Callable[..., Router], coming: Coming) -> None:
    """Else a German text would be taken for the only language that is here."""
    tell(coming, de=3, mul=1)

    assert router("en").answerable == {"de", "en"}


@pytest.mark.parametrize("said", ["", "[]", "{", '{"de": 1}', '{"unasked": {"de": null}}'])
def test_nonsense_says_that_nothing_comes(
    router: Callable[..., Router], coming: Coming, said: str
) -> None:
    """A file that can't be read is no reason for another refusal."""
    tell(coming)
    coming.path.write_text(said)

    with pytest.raises(LanguageUnsupported):
        router("en").choose("de")
