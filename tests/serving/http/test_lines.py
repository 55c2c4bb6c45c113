from hypothesis import given
from hypothesis import strategies as st

from serving.http.lines import Line, Lines

LONGEST = 10
contents = st.lists(st.text("ab \r", max_size=14).map(str.encode), max_size=8)


def cut(body: bytes, sizes: list[int]) -> list[Line]:
    """Cut a body that comes in pieces of these sizes."""
    lines = Lines(LONGEST)
    found: list[Line] = []
    for size in sizes:
        found += lines.cut(body[:size], more=True)
        body = body[size:]
    return found + list(lines.cut(body, more=False))


@given(contents, st.lists(st.integers(0, 20), max_size=8))
def test_lines_are_the_same_however_the_body_is_cut(lines: list[bytes], sizes: list[int]) -> None:
    """Numbers count from 1, blank lines are counted and skipped, long ones are told."""
    expected = [
        Line(number, None if len(line) > LONGEST else line.strip())
        for number, line in enumerate(lines, start=1)
        if len(line) > LONGEST or line.strip()
    ]

    assert cut(b"\n".join(lines), sizes) == expected
    assert cut(b"\n".join([*lines, b""]), sizes) == expected


def test_line_without_end_takes_no_memory() -> None:
    """What is longer than a line may be is not kept."""
    lines = Lines(LONGEST)
    for _ in range(1000):
        assert list(lines.cut(b"x" * 100, more=True)) == []
        assert len(lines._rest) <= LONGEST

    assert list(lines.cut(b"\nok", more=False)) == [Line(1, None), Line(2, b"ok")]
