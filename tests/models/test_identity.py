import pytest

from models.identity import ModelId, Tag


def test_tag_is_read_back_as_it_was_written() -> None:
    """A tag's spelling holds language, version and digest."""
    tag = Tag(ModelId("de", 3), "1a2b3c4d")

    assert str(tag) == "sentiment-de:v000003-1a2b3c4d"
    assert Tag.parse(str(tag)) == tag


def test_language_with_capitals_survives_the_lower_case_store() -> None:
    """BentoML keeps tags in lower case; the model keeps its canonical language."""
    tag = Tag(ModelId("zh-Hans", 12), "00000000")

    assert str(tag) == "sentiment-zh-hans:v000012-00000000"
    assert Tag.parse(str(tag)).model.language == "zh-Hans"


@pytest.mark.parametrize(
    "text", ["sentiment-de:3", "sentiment-de:v3-1a2b3c4d", "de:v000003-1a2b3c4d", "../x", ""]
)
def test_what_is_no_tag_is_refused(text: str) -> None:
    """Only the fixed-width form is a tag."""
    with pytest.raises(ValueError, match="is not a tag"):
        Tag.parse(text)
