"""Third-party noise, kept off the terminal while a model is exported or measured."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_LOCK = threading.Lock()
_inside: list[ExitStack] = []
"""What the outermost of those that overlap, in whatever threads, has to undo."""
_depth = 0


@contextmanager
def quiet() -> Iterator[None]:
    """Let only errors through, in the whole process, until the last of several has ended.

    What torch's tracer and the quantiser warn of (constants, opsets, skipped nodes) is what the
    gate measures afterwards. Levels of single loggers are no use: imports reset them.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _depth  # noqa: PLW0603  (logging and warnings are the process's as well)
    with _LOCK:
        _depth += 1
        if _depth > 1:
            return
        undo = ExitStack()
        undo.callback(logging.disable, logging.root.manager.disable)
        undo.enter_context(warnings.catch_warnings())
        logging.disable(logging.WARNING)
        warnings.simplefilter("ignore")
        _inside.append(undo)


def _leave() -> None:
    global _depth  # noqa: PLW0603
    with _LOCK:
        _depth -= 1
        if not _depth:
            _inside.pop().close()
