import errno
import os
from itertools import chain, repeat
from pathlib import Path

import pytest

from models.errors import ExportFailed
from models.manifest import WEIGHTS
from registry.gate.evidence import Evidence
from registry.gate.floor import Floor
from registry.gate.timing import Pace
from tests.fakes_export import EVIDENCE, FP32, LADDER, FakeTools


@pytest.fixture
def tools(tmp_path: Path) -> FakeTools:
    """Return tools whose int8 always says the other label."""
    return FakeTools(tmp_path, sure={"int8": -FP32})


@pytest.fixture(autouse=True)
def speeds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return how fast each rung will be, in the order of the ladder: tiny models are noise."""
    told = [1.7, 1.5, 1.0, 0.8]
    times = chain(told, repeat(1.5))
    monkeypatch.setattr("registry.gate.trial.interleaved", lambda *_: Pace(0.01, next(times)))
    return told


def test_the_fastest_rung_that_passes_is_kept_and_the_others_leave_no_files(
    tools: FakeTools,
) -> None:
    """The report has them all; the disk has the one."""
    trial = tools.trial()

    choice = trial.choose()

    assert choice.rung == "smooth"
    assert [rung.name for rung in choice.circumstances.rungs] == list(LADDER)
    by_name = {rung.name: rung for rung in choice.circumstances.rungs}
    assert by_name["int8"].agreement == 0.5
    assert "agrees with fp32 on 50.00%" in by_name["int8"].reasons[0]
    assert by_name["fp32"].agreement is None
    assert by_name["blocks"].nbytes == 0
    assert "blocks" not in tools.exported
    assert {path.name for path in trial.work.folder.iterdir() if path.is_dir()} == {"smooth"}


def test_the_same_question_is_answered_without_a_trial(tools: FakeTools) -> None:
    """Whatever the clock would say now: the same checkpoint stays the same version."""
    first = tools.trial().choose()
    tools.exported.clear()

    assert tools.trial().choose() == first
    assert tools.exported == []
    assert tools.loads == 1


def test_a_chosen_artifact_that_was_damaged_is_made_again(tools: FakeTools) -> None:
    """In the same form: the others need not be exported for that."""
    first = tools.trial().choose()
    (tools.trial().work.rung("smooth") / WEIGHTS).write_bytes(b"")
    tools.exported.clear()

    assert tools.trial().choose() == first
    assert tools.exported == ["smooth"]


def test_another_floor_is_another_question(tools: FakeTools) -> None:
    """What was good enough for one may be too far off for the other."""
    tools.trial().choose()

    low = Floor(agreement=0.0, slice_agreement=0.0)
    assert tools.trial(floor=low).choose().rung == "int8"


def test_an_interrupted_trial_goes_on_where_it_was(tools: FakeTools, speeds: list[float]) -> None:
    """Exported rungs, answers of the checkpoint and measured gates are found again."""
    speeds[2:] = speeds[:2]
    broken = KeyboardInterrupt()

    def interrupt(name: str) -> None:
        if name == "compare smooth with fp32 on 216 texts":
            raise broken

    trial = tools.trial()
    trial.say = interrupt
    with pytest.raises(KeyboardInterrupt):
        trial.choose()
    tools.exported.clear()
    said: list[str] = []
    again = tools.trial()
    again.say = said.append

    assert again.choose().rung == "smooth"
    assert tools.exported == []
    assert tools.loads == 1
    assert [step for step in said if step.startswith("compare")] == [
        "compare smooth with fp32 on 216 texts"
    ]


def test_a_rung_that_can_not_be_had_is_reported_and_passed_over(tools: FakeTools) -> None:
    """An operator that this machine lacks is no reason to register nothing."""
    tools.broken["smooth"] = ValueError("no such operator")

    choice = tools.trial().choose()

    assert choice.rung == "fp32"
    assert choice.circumstances.rungs[1].name == "smooth"
    assert choice.circumstances.rungs[1].reasons == ("no smooth",)


def test_a_rung_that_is_slower_than_fp32_here_is_passed_over(
    tools: FakeTools, speeds: list[float]
) -> None:
    """The ladder is in the order of other machines."""
    speeds[:2] = [0.9, 0.7]
    tools.sure.clear()

    choice = tools.trial().choose()

    assert choice.rung == "fp32"
    assert choice.circumstances.rungs[0].speed == 0.9
    assert "slower than fp32" in choice.circumstances.rungs[0].reasons[0]


def test_a_full_disk_ends_the_trial(tools: FakeTools) -> None:
    """Each further rung would meet it again, and the last one is no better for it."""
    tools.broken["smooth"] = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ExportFailed, match="no smooth"):
        tools.trial().choose()


def test_where_no_rung_passes_one_is_left_with_its_reasons(tools: FakeTools) -> None:
    """Whoever mends the model sees the figures of the one that came nearest."""
    tools.sure |= dict.fromkeys(LADDER, -FP32)

    choice = tools.trial().choose()

    assert all(rung.reasons for rung in choice.circumstances.rungs)


def test_too_few_texts_cost_one_export(tools: FakeTools) -> None:
    """No rung could pass on them, so one is enough to say so."""
    trial = tools.trial(evidence=Evidence(EVIDENCE.texts[:20], "words"))

    choice = trial.choose()

    assert tools.exported == ["int8"]
    assert "20 texts" in trial.judge(choice.rung).reasons[0]
