from collections.abc import Sequence

import pytest

from models.labels import Scores
from registry.gate.timing import ROUNDS, interleaved, sample


class Machine:
    """A clock, and models that take time on it."""

    def __init__(self) -> None:
        """Start at zero."""
        self.now = 0.0
        self.ran: list[str] = []

    def clock(self) -> float:
        """Return the seconds that went by."""
        return self.now

    def model(self, name: str, *seconds: float) -> "Model":
        """Return a model whose runs take these seconds; the last one for ever."""
        return Model(self, name, list(seconds))


class Model:
    """A model that does nothing but take time."""

    def __init__(self, machine: Machine, name: str, seconds: list[float]) -> None:
        """Run on a machine."""
        self.machine, self.name, self.seconds = machine, name, seconds

    def __call__(self, texts: Sequence[str]) -> list[Scores]:
        """Let the clock go on."""
        self.machine.ran.append(self.name)
        self.machine.now += self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]
        return [{"positive": 1.0}] * len(texts)


def test_the_first_run_and_an_outlier_do_not_count() -> None:
    """Medians of rounds after a warm-up."""
    machine = Machine()
    ours = machine.model("ours", 9.0, 0.1, 5.0, 0.1)

    pace = interleaved(ours, machine.model("other", 0.2), ["a", "b"], machine.clock)

    assert pace.speed == pytest.approx(2.0)
    assert pace.seconds == pytest.approx(0.05)


def test_each_is_first_in_every_second_round() -> None:
    """What warms up within a round must not favour one of them."""
    machine = Machine()

    interleaved(machine.model("a", 0.01), machine.model("b", 0.01), ["a"], machine.clock)

    assert machine.ran[2:8] == ["a", "b", "b", "a", "a", "b"]
    assert len(machine.ran) == 2 + 2 * ROUNDS


def test_a_slow_pair_gets_few_rounds() -> None:
    """A model of gigabytes is timed in seconds too."""
    machine = Machine()

    interleaved(machine.model("a", 10.0), machine.model("b", 10.0), ["a"], machine.clock)

    assert len(machine.ran) == 2 + 2 * 3


def test_the_sample_has_texts_of_all_lengths() -> None:
    """Neither the shortest nor the longest; no more than there are."""
    texts = ["x" * n for n in range(1, 101)]

    assert [len(text) for text in sample(texts)] == [13, 38, 63, 88]
    assert sample(list(reversed(texts))) == sample(texts)
    assert sample(["b", "a", "a"]) == ["a", "b"]
