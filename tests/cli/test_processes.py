import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cli import processes
from cli.processes import Child, Talker, port_is_free

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""
SPAWNS = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
KEEPS = """
import sys, time
from pathlib import Path
from cli.processes import Child
child = Child("kept", [sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """Return a program that would run for a minute."""
    child = Child(
        "sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log"
    )
    yield child
    child.stop()


def test_program_is_started_and_stopped(child: Child) -> None:
    """SIGTERM ends it, and its exit code is known."""
    child.start()
    assert child.running

    child.stop()

    assert not child.running
    assert child.exit_code == -signal.SIGTERM


def test_program_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of ours stays behind."""
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    child = Child("stubborn", [sys.executable, "-c", STUBBORN], tmp_path / "log")
    child.start()
    while "up" not in child.last_words():
        time.sleep(0.02)

    child.stop()

    assert child.exit_code == -signal.SIGKILL


def test_program_that_never_works_is_left_alone(tmp_path: Path) -> None:
    """It is started again three times; once it has worked, three times more."""
    child = Child("fails", [sys.executable, "-c", "raise SystemExit(1)"], tmp_path / "log")

    def starts() -> int:
        count = 0
        while child.start_again():
            count += 1
            while child.running:
                time.sleep(0.02)
        return count

    assert starts() == 1 + processes.ATTEMPTS
    child.worked()
    assert starts() == processes.ATTEMPTS


def test_children_of_a_program_end_with_it(tmp_path: Path) -> None:
    """A server's workers are in its process group."""
    child = Child("parent", [sys.executable, "-c", SPAWNS], tmp_path / "log")
    child.start()
    while not child.last_words():
        time.sleep(0.02)
    grandchild = int(child.last_words())

    child.stop()

    deadline = time.monotonic() + 5
    while _alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(grandchild)


def test_program_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """A killed `up` leaves no server behind on the port that its next start wants."""
    parent = subprocess.Popen(
        [sys.executable, "-c", KEEPS, str(tmp_path / "log")], stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _alive(child)
        parent.kill()

    deadline = time.monotonic() + 5
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def test_last_words_are_the_end_of_the_log(tmp_path: Path) -> None:
    """Who fails says why."""
    child = Child("fails", [sys.executable, "-c", "raise SystemExit('no disk')"], tmp_path / "log")
    child.start()
    while child.running:
        time.sleep(0.02)

    assert child.exit_code == 1
    assert child.last_words() == "no disk"


def test_talker_is_heard_line_by_line(tmp_path: Path) -> None:
    """Standard output is for us, standard error for the log."""
    talk = "import sys; print('one'); print('noise', file=sys.stderr); print('two')"
    child = Talker("talker", [sys.executable, "-c", talk], tmp_path / "log")
    child.start()

    assert list(child.lines()) == ["one\n", "two\n"]
    child.stop()
    assert child.last_words() == "noise"


def test_port_that_is_taken_is_seen() -> None:
    """`up` says so before it starts anything."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert not port_is_free("127.0.0.1", port)

    assert port_is_free("127.0.0.1", port)
