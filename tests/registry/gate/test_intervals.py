import pytest

from registry.gate.intervals import newcombe, wilson


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_a_share_has_the_interval_of_the_literature(
    hits: int, rows: int, low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17:857, table I, method 3."""
    assert wilson(hits, rows) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [((36, 12, 2, 0), 0.0569, 0.3404), ((54, 0, 0, 0), -0.0664, 0.0664)],
)
def test_a_paired_difference_has_the_interval_of_the_literature(
    cells: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17:2635, table II, method 10."""
    assert newcombe(*cells) == pytest.approx((low, high), abs=5e-5)


def test_nothing_counted_says_nothing() -> None:
    """Without rows every share, and every difference, is possible."""
    assert wilson(0, 0) == (0.0, 1.0)
    assert newcombe(0, 0, 0, 0) == (-1.0, 1.0)
