from collections.abc import Sequence
from pathlib import Path

import pytest

from models.labels import Scores
from registry.gate.evidence import Answer
from registry.gate.recorded import recorded


class Reference:
    """A model that counts how often it is loaded, and what it was asked."""

    def __init__(self) -> None:
        """Start unused."""
        self.loads = 0
        self.asked: list[str] = []

    def load(self) -> Answer:
        """Return what answers."""
        self.loads += 1
        return self._answer

    def _answer(self, texts: Sequence[str]) -> list[Scores]:
        self.asked += texts
        return [{"negative": 1 / 3, "positive": 2 / 3 - len(text) / 7} for text in texts]


def test_the_reference_is_asked_once_for_all_rungs(tmp_path: Path) -> None:
    """Each text once; what was kept is what was said, to the last bit."""
    reference = Reference()
    first = recorded(tmp_path / "fp32.json", reference.load, ["a", "bb", "a"])

    again = recorded(tmp_path / "fp32.json", reference.load, ["a", "bb", "a"])

    assert again(["bb", "a", "bb"]) == first(["bb", "a", "bb"])
    assert reference.asked == ["a", "bb"]
    assert reference.loads == 1


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b'{"b": {"positive": 1}}', b"{"])
def test_what_was_kept_by_halves_is_asked_again(content: bytes, tmp_path: Path) -> None:
    """A broken file, or one of other texts, is not guessed at."""
    (tmp_path / "fp32.json").write_bytes(content)
    reference = Reference()

    answer = recorded(tmp_path / "fp32.json", reference.load, ["a"])

    assert answer(["a"]) == reference.load()(["a"])


def test_a_text_that_was_not_asked_has_no_answer(tmp_path: Path) -> None:
    """No default, which would look like an agreement."""
    with pytest.raises(KeyError):
        recorded(tmp_path / "fp32.json", Reference().load, ["a"])(["b"])
