"""Programs that `up` starts and stops."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
STOP_SECONDS = 20.0
"""How long a program may take to end before it is killed."""
ATTEMPTS = 3
"""How often a program that has ended by itself is started again, unless it worked in between."""


@dataclass(slots=True)
class Child:
    """One program, in a process group of its own, its output in a log file; it ends with us."""

    name: str
    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    _process: subprocess.Popen[bytes] | None = None
    _ended: int = 0
    """How often, since it last worked."""

    def start(self) -> None:
        """Start it; its output is added to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (the argv is ours)
                [sys.executable, str(LEASH), str(os.getpid()), *self.argv],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=self._output(log.fileno()),
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours to pass on, in our order
            )

    def start_again(self) -> bool:
        """Start it, for the first time too; say whether it was, or has ended too often."""
        self._ended += self.started
        if self._ended > ATTEMPTS:
            return False
        self.start()
        return True

    def worked(self) -> None:
        """Forget how often it has ended."""
        self._ended = 0

    @property
    def started(self) -> bool:
        """Whether it was started."""
        return self._process is not None

    @property
    def exit_code(self) -> int | None:
        """The exit code once it has ended; None while it runs, or before it was started."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.started and self.exit_code is None

    @property
    def pid(self) -> int | None:
        """The process id, None before it was started."""
        return None if self._process is None else self._process.pid

    def last_words(self, lines: int = 12) -> str:
        """Return the end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End it with SIGTERM, and what is left of its group with SIGKILL after STOP_SECONDS."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _output(self, log: int) -> int:
        return log


class Talker(Child):
    """A program whose standard output is for us, line by line."""

    def lines(self) -> Iterator[str]:
        """Yield each line it prints, until it ends."""
        if self._process is None or self._process.stdout is None:
            return
        with self._process.stdout as stdout:
            for line in stdout:
                yield line.decode(errors="replace")

    def _output(self, log: int) -> int:
        del log
        return subprocess.PIPE


def port_is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
