import pytest

from models.errors import LanguageUnknown, MalformedLanguage
from models.languages import canonical, lookup


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("de", "de"), ("pt-br", "pt-BR"), ("iw", "he"), ("zh-hans-cn", "zh-Hans-CN"), ("tl", "fil")],
)
def test_tag_is_spelled_one_way(tag: str, expected: str) -> None:
    """Whatever spelling comes in, one spelling goes on."""
    assert canonical(tag) == expected


@pytest.mark.parametrize("tag", ["", "e", "english", "de_", "日本", "a" * 36, "de-\n", "../../x"])
def test_what_is_no_tag_is_malformed(tag: str) -> None:
    """Malformed and unknown are two errors."""
    with pytest.raises(MalformedLanguage):
        canonical(tag)


@pytest.mark.parametrize("tag", ["xx", "de-ZX", "zzz"])
def test_well_formed_tag_of_no_language_is_unknown(tag: str) -> None:
    """A tag that IANA has not registered is refused, not guessed at."""
    with pytest.raises(LanguageUnknown):
        canonical(tag)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("pt-BR", "pt"), ("zh-Hans-CN", "zh-Hans"), ("de-DE-x-dialect", "de"), ("fi", None)],
)
def test_lookup_cuts_a_tag_from_its_end(tag: str, expected: str | None) -> None:
    """RFC 4647 lookup: the most specific served language answers."""
    assert lookup(tag, {"pt", "zh", "zh-Hans", "de"}) == expected
