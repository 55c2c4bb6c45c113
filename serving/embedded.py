"""The sync as a child of the service, where no sidecar can run and no volume can be shared."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_LOG = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parent.parent
"""The folder of `cli`, in a checkout and in a Bento."""
PYTHON = (sys.executable, "-P", "-m")
"""-P: a folder `cli` where the service happens to be started must not be taken for ours."""
SYNC = (*PYTHON, "cli", "registry", "sync", "--watch")

STEADY_SECONDS = 60.0
"""Who has run for so long is started again at once."""
LONGEST_PAUSE = 60.0
STOP_SECONDS = 5.0
"""How long it may take to end before it is killed; what it fetches goes on at the next start."""


def pause(times: int) -> float:
    """Return the seconds before the next start of what ended early so many times in a row."""
    return min(float(2 ** min(times - 1, 32)), LONGEST_PAUSE) if times else 0.0


def _nothing() -> None:
    pass


class Embedded:
    """Keeps a program running as long as the service runs; it speaks into the service's log.

    1. When it ends it is started again, and later each time that it did not last.
    2. It ends with the service, also where that is killed: the leash asks the kernel for it.
    """

    def __init__(
        self, restarted: Callable[[], None] = _nothing, program: Sequence[str] = SYNC
    ) -> None:
        """Take whom to tell that the program had to be started again, and the program."""
        self._program = program
        self._restarted = restarted
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._over = threading.Event()
        # The kernel counts the thread that starts the program as its parent, so one thread does.
        self._thread = threading.Thread(target=self._keep, name="sync", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End it with SIGTERM, with SIGKILL after STOP_SECONDS; returns when it has ended."""
        self._over.set()
        with self._starting:
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        early = 0
        while not self._over.is_set():
            began = time.monotonic()
            code = self._run()
            if self._over.is_set():
                return
            early = 0 if time.monotonic() - began > STEADY_SECONDS else early + 1
            _LOG.warning("The sync ended with %d; it is started in %g s", code, pause(early))
            self._restarted()
            self._over.wait(pause(early))

    def _run(self) -> int:
        with self._starting:
            if self._over.is_set():
                return 0
            try:
                self._process = subprocess.Popen(  # noqa: S603  (the program is ours)
                    [*PYTHON, "cli.leash", str(os.getpid()), *self._program],
                    env={**os.environ, "PYTHONPATH": str(PROJECT)},
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C reaches the service, which then ends it
                )
            except OSError as error:  # no memory, or too many processes: that may pass
                _LOG.warning("The sync could not be started: %s", error)
                return 1
        return self._process.wait()
