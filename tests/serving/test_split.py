import pytest

from serving.split import falls

KEYS = [f"user-{number}" for number in range(4000)]


def chosen(share: float, language: str = "de") -> set[str]:
    """Return who the challenger answers."""
    return {key for key in KEYS if falls(language, key, share)}


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 1.0])
def test_share_is_kept(share: float) -> None:
    """Of many keys, that part; none of none, and all of all."""
    assert len(chosen(share)) / len(KEYS) == pytest.approx(share, abs=0.02)
    if share in {0.0, 1.0}:
        assert len(chosen(share)) == share * len(KEYS)


def test_same_key_falls_the_same_way() -> None:
    """In every process and release: who has seen a version goes on seeing it."""
    of_the_challenger = [number for number in range(8) if falls("de", f"user-{number}", 0.5)]

    assert of_the_challenger == [1, 6, 7]


def test_who_is_in_a_share_is_in_every_larger_one() -> None:
    """Raising a share takes nobody out."""
    assert chosen(0.01) < chosen(0.1) < chosen(0.5)


def test_languages_are_split_independently() -> None:
    """Who is in the share of one is not thereby in that of another."""
    both = chosen(0.5, "de") & chosen(0.5, "en")
    assert len(both) / len(KEYS) == pytest.approx(0.25, abs=0.03)
