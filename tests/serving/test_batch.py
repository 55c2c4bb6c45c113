from hypothesis import given
from hypothesis import strategies as st

from serving.batch import Limits, cut

LENGTHS = st.lists(st.integers(1, 128), min_size=1, max_size=80)
LIMITS = st.builds(Limits, st.integers(1, 1024), st.floats(0, 1))


@given(LENGTHS, LIMITS)
def test_oldest_goes_and_no_limit_is_broken(lengths: list[int], limits: Limits) -> None:
    """A batch of more than one stays within tokens and padding; each text is in it once."""
    chosen = cut(lengths, limits).chosen

    assert 0 in chosen
    assert len(set(chosen)) == len(chosen)
    if len(chosen) > 1:
        padded = len(chosen) * max(lengths[index] for index in chosen)
        real = sum(lengths[index] for index in chosen)
        assert padded <= limits.tokens
        assert padded - real <= limits.padding * padded


@given(LENGTHS, LIMITS)
def test_nearest_in_length_go_together(lengths: list[int], limits: Limits) -> None:
    """No text is left out that is strictly between two that go."""
    chosen = set(cut(lengths, limits).chosen)
    shortest, longest = (end(lengths[index] for index in chosen) for end in (min, max))

    left_out = [length for index, length in enumerate(lengths) if index not in chosen]
    assert not any(shortest < length < longest for length in left_out)


@given(LENGTHS)
def test_all_that_fit_go(lengths: list[int]) -> None:
    """Without limits the batch is everything."""
    found = cut(lengths, Limits(tokens=10**6, padding=1.0))

    assert sorted(found.chosen) == list(range(len(lengths)))
    assert found.reason == "drained"


def test_reason_names_the_limit() -> None:
    """It is told whether tokens or padding ended the batch."""
    assert cut([10, 10, 10], Limits(tokens=20, padding=0.05)).reason == "tokens"
    assert cut([10, 11], Limits(tokens=100, padding=0.01)).reason == "padding"
