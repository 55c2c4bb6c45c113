import pytest

from benchmarks.bare import Run, cores, divisions, fixed, perfect

ROWS = [[7] * length for length in (3, 9, 3, 40, 9, 1, 25)]


@pytest.mark.parametrize("tokens", [8, 16, 64])
def test_perfect_batches_hold_every_row_once(tokens: int) -> None:
    """Nothing is left out, nothing twice, and no batch is over the budget unless it is one row."""
    batches = perfect(ROWS, tokens)

    assert sorted(len(row) for batch in batches for row in batch) == sorted(map(len, ROWS))
    assert all(len(b) == 1 or len(b) * max(map(len, b)) <= tokens for b in batches)


def test_perfect_batches_hold_neighbours_in_length() -> None:
    """Sorted before it is cut: equal lengths meet."""
    batches = perfect([[1] * 3, [1] * 30, [1] * 3, [1] * 30], 60)

    assert sorted(sorted(map(len, batch)) for batch in batches) == [[3, 3], [30, 30]]


def test_fixed_batches_keep_the_order() -> None:
    """The batches beside it are what a server without sorting makes."""
    assert fixed(ROWS, 3) == [ROWS[:3], ROWS[3:6], ROWS[6:]]


def test_padding_is_a_share_of_what_is_computed() -> None:
    """As in the service's metrics: padding over tokens and padding."""
    assert Run(seconds=2.0, texts=10, tokens=75, padding=25).padding_share == 0.25


def test_divisions_use_every_core() -> None:
    """One run on all of them, one on each, and all on all."""
    assert {max(lanes, threads) for lanes, threads in divisions()} == {cores()}
