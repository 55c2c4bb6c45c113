import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from training.errors import AssetBroken
from training.gettext_mo import pairs
from training.texts import mix, read, sentences, width

Write = Callable[[str, Mapping[str, bytes]], Path]
LONG = "Dieser Satz ist lang genug für alle."
LONGER = "Dieser Satz ist länger als der andere Satz."


def compiled(messages: Mapping[str, str], order: str = "<") -> bytes:
    """Return a gettext catalogue."""
    sources = [key.encode() for key in ["", *messages]]
    targets = [value.encode() for value in ["Content-Type: text/plain", *messages.values()]]
    start = 28 + 16 * len(sources)
    tables, body = [b"", b""], b""
    for number, column in enumerate((sources, targets)):
        for data in column:
            tables[number] += struct.pack(order + "2I", len(data), start + len(body))
            body += data + b"\0"
    counts = (0, len(sources), 28, 28 + 8 * len(sources), 0, 0)
    return struct.pack(order + "7I", 0x950412DE, *counts) + b"".join(tables) + body


@pytest.mark.parametrize("order", ["<", ">"])
def test_catalogue_is_read_in_both_byte_orders(order: str) -> None:
    """The format allows either; the header is no message."""
    assert list(pairs(compiled({"good": "gut"}, order))) == [("good", "gut")]


def test_context_and_plural_forms_are_left_out() -> None:
    """One sentence a message."""
    data = compiled({"menu\x04one file\x00many files": "eine Datei\x00viele Dateien"})

    assert list(pairs(data)) == [("one file", "eine Datei")]


@pytest.mark.parametrize("data", [b"text", compiled({"good": "gut"})[:30]])
def test_file_that_is_no_catalogue_is_refused(data: bytes) -> None:
    """Foreign and cut files have one error."""
    with pytest.raises(AssetBroken):
        list(pairs(data))


def test_catalogues_of_all_wheels_and_folders_are_read(zipped: Write) -> None:
    """A locale is spread over the applications of a package."""
    first = zipped("a.whl", {"a/locale/de/LC_MESSAGES/django.mo": compiled({"a": "A"})})
    second = zipped(
        "b.whl",
        {
            "b/x/locale/de/LC_MESSAGES/django.mo": compiled({"b": "B"}),
            "b/x/locale/de_AT/LC_MESSAGES/django.mo": compiled({"c": "C"}),
            "b/x/locale/de/LC_MESSAGES/django.po": b"",
        },
    )

    assert read([first, second], ["de"]) == {"de": [("a", "A"), ("b", "B")]}


def test_longest_sentences_come_first() -> None:
    """They are nearer to what people send than the names of buttons."""
    assert sentences([("a", LONG), ("b", LONGER)], side=1) == [LONGER, LONG]


@pytest.mark.parametrize(
    "text",
    ["kurz", f"<b>{LONG}</b>", f"{LONG} %(count)s", f"{LONG} {{name}}", LONG * 20, "1. 2. 3. " * 9],
)
def test_markup_fragments_and_novels_are_left_out(text: str) -> None:
    """Only plain sentences can stand for texts of users."""
    assert sentences([("a", text)], side=1) == []


def test_untranslated_messages_are_left_out() -> None:
    """English inside another language's catalogue is not that language."""
    assert sentences([(LONG, LONG)], side=1) == []


def test_chinese_character_is_two_columns_wide() -> None:
    """Ten of them are a sentence."""
    assert width("好film") == 6


def test_mix_takes_turns_and_repeats_nothing() -> None:
    """No language fills the mix before another has its share."""
    assert mix([["a", "b", "c"], ["d"], ["a", "e"]], 4) == ["a", "d", "b", "e"]
