"""Third-party noise, kept off the terminal while a model is exported or measured."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Let only errors through, in the whole process.

    What torch's tracer and the quantiser warn of (constants, opsets, skipped nodes) is what the
    gate measures afterwards. Levels of single loggers are no use: imports reset them.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
