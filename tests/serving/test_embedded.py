import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from serving import embedded
from serving.embedded import Embedded, pause

PATIENCE = 20.0
NOTES = """
import os, sys, time
with open(sys.argv[1], "a") as file:
    print(os.getpid(), file=file)
time.sleep(float(sys.argv[2]))
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + NOTES
SERVICE = """
import sys, time
from serving.embedded import Embedded
Embedded(program=sys.argv[1:]).start()
time.sleep(60)
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Return where a program notes the process that it is, each time it starts."""
    return tmp_path / "notes"


def program(notes: Path, seconds: float, text: str = NOTES) -> list[str]:
    """Return a program that runs so long."""
    return [sys.executable, "-c", text, str(notes), str(seconds)]


def pids(notes: Path) -> list[int]:
    """Return the processes that have started."""
    with suppress(FileNotFoundError):
        return [int(line) for line in notes.read_text().splitlines()]
    return []


def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Say whether a process runs; one that nobody has waited for yet does not."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_program_that_ends_is_started_again(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And each time is told."""
    monkeypatch.setattr(embedded, "LONGEST_PAUSE", 0.05)
    told: list[int] = []
    sync = Embedded(lambda: told.append(1), program(notes, 0))
    sync.start()
    until(lambda: len(pids(notes)) >= 3)
    sync.stop()

    assert len(told) >= 2


def test_start_that_fails_is_tried_again(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine may be short of memory or processes for a while."""
    python = embedded.PYTHON
    monkeypatch.setattr(embedded, "PYTHON", ("/nowhere/python",))
    monkeypatch.setattr(embedded, "LONGEST_PAUSE", 0.05)
    told: list[int] = []
    sync = Embedded(lambda: told.append(1), program(notes, 60))
    sync.start()
    until(lambda: len(told) >= 2)
    monkeypatch.setattr(embedded, "PYTHON", python)
    until(lambda: len(pids(notes)) == 1)
    sync.stop()

    assert not lives(pids(notes)[0])


def test_program_that_runs_is_left_alone_and_ended_at_last(notes: Path) -> None:
    """SIGTERM is enough for it; it is not started once more."""
    sync = Embedded(program=program(notes, 60))
    sync.start()
    until(lambda: len(pids(notes)) == 1)

    sync.stop()

    (pid,) = pids(notes)
    assert not lives(pid)


def test_program_that_ignores_sigterm_is_killed(
    notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that is told to stop stops."""
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.2)
    sync = Embedded(program=program(notes, 60, STUBBORN))
    sync.start()
    until(lambda: len(pids(notes)) == 1)

    sync.stop()

    (pid,) = pids(notes)
    assert not lives(pid)


def test_program_ends_with_a_service_that_is_killed(notes: Path) -> None:
    """Nothing goes on writing into the store of a service that is gone."""
    service = subprocess.Popen([sys.executable, "-c", SERVICE, *program(notes, 60)])
    until(lambda: len(pids(notes)) == 1)
    (pid,) = pids(notes)
    assert lives(pid)

    os.kill(service.pid, signal.SIGKILL)
    service.wait()

    until(lambda: not lives(pid))


def test_service_that_never_started_it_can_stop(notes: Path) -> None:
    """A start that fails elsewhere ends in `close`."""
    sync = Embedded(program=program(notes, 60))

    sync.stop()

    assert not pids(notes)


def test_pause_grows_to_a_minute() -> None:
    """What lasted is started again at once."""
    assert [pause(times) for times in (0, 1, 2, 3, 10, 10_000)] == [0, 1, 2, 4, 60, 60]
