import pytest

from models.languages import UNDETERMINED
from serving.detect import Detector


@pytest.fixture(scope="module")
def detector() -> Detector:
    """Return a detector of a few languages."""
    detector = Detector(min_confidence=0.5)
    detector.restrict(["en", "de", "ja", "fil"])
    return detector


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("The hotel staff were very friendly and the room was clean.", "en"),
        ("Das Hotelpersonal war sehr freundlich und das Zimmer war sauber.", "de"),
        ("ホテルのスタッフはとても親切で、部屋は清潔でした。", "ja"),
    ],
)
def test_sentence_tells_its_language(detector: Detector, text: str, tag: str) -> None:
    """The tag is detected, with the confidence that the detector has."""
    language = detector(text, None)

    assert (language.tag, language.source) == (tag, "detected")
    assert language.confidence >= 0.5


def test_given_language_is_not_second_guessed(detector: Detector) -> None:
    """Who names the language is believed."""
    language = detector("Das Zimmer war sauber.", "ja")

    assert (language.tag, language.source, language.confidence) == ("ja", "given", 1.0)


@pytest.mark.parametrize("text", ["12345", "😀😀", "?", "\x00"])
def test_text_that_tells_nothing_is_undetermined(detector: Detector, text: str) -> None:
    """Unsure is said, never 'English'."""
    language = detector(text, None)

    assert (language.tag, language.source) == (UNDETERMINED, "fallback")


@pytest.mark.parametrize("text", ["I love it, the staff was so friendly", "12345 ???"])
def test_one_served_language_is_not_every_language(text: str) -> None:
    """Unsure is said, also where there is nothing to choose from."""
    alone = Detector(min_confidence=0.5)
    alone.restrict(["de"])

    assert alone(text, None).tag == UNDETERMINED
    assert alone("Das Hotelpersonal war sehr freundlich.", None).tag == "de"


def test_language_that_is_not_served_is_never_detected(detector: Detector) -> None:
    """Dutch among English, German and Japanese is one of these, or undetermined."""
    language = detector("Het hotelpersoneel was erg vriendelijk en de kamer was schoon.", None)

    assert language.tag in {"en", "de", UNDETERMINED}
