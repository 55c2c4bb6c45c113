"""`leash.py PARENT PROGRAM ...`: becomes the program, which ends when its parent does.

Without it a killed `up` would leave servers behind, on the ports that its next start wants.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal to get when the parent dies; it survives exec."""


def main() -> None:
    """Ask the kernel for the signal, then exec; where there is no prctl (not Linux), only exec."""
    parent, *program = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):
            sys.exit("the parent has ended")
    os.execvp(program[0], program)  # noqa: S606  (no shell is wanted)


if __name__ == "__main__":
    main()
