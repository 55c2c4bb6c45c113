import pytest

from models.units import duration, size


@pytest.mark.parametrize(
    ("nbytes", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (281 * 2**20, "281 MiB"),
        (1023.9 * 2**20, "1.0 GiB"),
        (5.94 * 2**30, "5.9 GiB"),
        (9.96 * 2**30, "10 GiB"),
        (3000 * 2**40, "3000 TiB"),
    ],
)
def test_bytes_are_said_in_three_digits(nbytes: float, said: str) -> None:
    """In the unit that the settings take."""
    assert size(nbytes) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than 1 ms"),
        (0.0042, "4 ms"),
        (2.54, "2.5 s"),
        (9.96, "10 s"),
        (59, "59 s"),
        (200, "3 min"),
        (20_000, "6 h"),
        (200_000, "2 days"),
    ],
)
def test_time_is_said_in_two_digits(seconds: float, said: str) -> None:
    """In the unit that a person would use."""
    assert duration(seconds) == said
