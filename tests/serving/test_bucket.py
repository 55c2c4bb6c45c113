import pytest

from serving.bucket import Bucket


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        """Return seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


def test_bucket_holds_one_second(clock: Clock) -> None:
    """So many at once; then one for each part of a second that has gone by."""
    bucket = Bucket(4, clock)
    for _ in range(4):
        assert bucket.wait == 0
        bucket.take(1)

    assert bucket.wait == pytest.approx(0.25)
    clock.now += 0.25
    assert bucket.wait == 0
    clock.now += 100
    bucket.take(4)
    assert bucket.wait > 0, "an hour's rest is no hour's credit"


def test_slow_rate_holds_one(clock: Clock) -> None:
    """One every ten seconds is one, and then none for ten."""
    bucket = Bucket(0.1, clock)
    bucket.take(1)

    assert bucket.wait == pytest.approx(10)


def test_what_was_overdrawn_is_paid_first(clock: Clock) -> None:
    """A batch is let in whole, and its owner waits for it afterwards."""
    bucket = Bucket(10, clock)

    assert bucket.take(10) == 0
    assert bucket.take(25) == pytest.approx(2.5)
    assert bucket.wait == pytest.approx(2.6)
    clock.now += 2.61
    assert bucket.wait == 0
