from pathlib import Path

from benchmarks.engine_log import digest, first_runs, note
from benchmarks.faults import Faults, with_poison
from benchmarks.traffic import LEFT, OK, Question, Record, Traffic


def record(index: int, status: int, done: float = 1.0) -> Record:
    """Return a request that was sent at 0."""
    return Record(index, 0.0, 0.0, done, status)


def faults(*records: Record, **runs: float) -> Faults:
    """Return a run in which text 0 was poison and row i is named `ri`."""
    rows = {each.index: f"r{each.index}" for each in records}
    return Faults(Traffic(0.0, 2.0, 0.0, records), frozenset({0}), runs, rows, 0)


def test_neighbours_are_those_without_poison_who_stayed() -> None:
    """Poison may fail and who left gets nothing; anyone else must be answered."""
    found = faults(record(0, 500), record(1, OK), record(2, LEFT), record(3, 500), record(4, 0))

    assert found.neighbours_failed == 2
    assert found.poison_answered == 0


def test_computed_in_vain_is_what_started_after_its_client_left() -> None:
    """A run under way when the client leaves is nobody's fault."""
    found = faults(record(1, LEFT), record(2, LEFT), record(3, LEFT), r1=0.9, r2=1.5)

    assert found.computed_in_vain == 1
    assert found.spared == 1


def test_first_run_counts(tmp_path: Path) -> None:
    """Halves of a poisoned batch run again; that is not news."""
    log = tmp_path / "engine.ndjson"
    note(log, [[1, 2], [3]])
    before = first_runs(log)
    note(log, [[3]])

    assert set(before) == {digest([1, 2]), digest([3])}
    assert first_runs(log) == before


def test_a_hundredth_is_poisoned() -> None:
    """The marker goes into the texts that are told."""
    asked, poisoned = with_poison([Question("text", "en")] * 5000)

    assert 25 < len(poisoned) < 80
    assert {index for index, question in enumerate(asked) if question.text != "text"} == poisoned
