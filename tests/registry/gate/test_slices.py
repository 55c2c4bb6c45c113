from registry.gate.compared import Compared
from registry.gate.slices import slices


def rows(count: int, *, length: int, origin: str = "a", same: bool = True) -> list[Compared]:
    """Return texts that are alike."""
    return [Compared(length, origin, same, 0.0)] * count


def test_a_failure_on_long_texts_is_seen_on_long_texts() -> None:
    """Thirds by length, whatever the order of the texts."""
    parts = slices(rows(20, length=300, same=False) + rows(20, length=5) + rows(20, length=50))

    assert {part.name: part.agreement for part in parts} == {
        "length: short": 1.0,
        "length: medium": 1.0,
        "length: long": 0.0,
    }


def test_sources_are_told_apart_where_there_are_several() -> None:
    """One source for all is no slice."""
    parts = slices(rows(30, length=5, origin="b", same=False) + rows(30, length=5))

    by_name = {part.name: part for part in parts}
    assert by_name["source: a"].agreement == 1.0
    assert by_name["source: b"].agreement == 0.0
    assert not any(part.name.startswith("source") for part in slices(rows(30, length=5)))


def test_a_handful_of_texts_is_no_slice() -> None:
    """Nothing can be said of five rows."""
    assert slices(rows(15, length=5)) == ()


def test_labels_are_counted_where_they_are_known() -> None:
    """A slice may hold texts with and without one."""
    known = [Compared(5, "a", True, 0.0, right=True, right_fp32=False)] * 10  # noqa: FBT003

    (part,) = (
        each for each in slices(known * 3 + rows(3, length=50)) if each.name == "length: short"
    )

    assert (part.texts, part.labelled, part.accuracy, part.accuracy_fp32) == (11, 11, 1.0, 0.0)
