"""What is logged, as lines for people or as JSON for machines."""

import logging
from datetime import UTC, datetime
from typing import Literal

from pydantic_core import to_json

Form = Literal["text", "json"]
"""Lines for people, or a JSON object a line."""


class JSONLines(logging.Formatter):
    """One JSON object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`.

    An `exception` keeps its traceback, line breaks escaped.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return to_json(line).decode()


def timestamp(seconds: float) -> str:
    """Return a time of `time.time()` as RFC 3339 has it, in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def log_as(form: Form) -> None:
    """Let all that this process logs from now on have this form, warnings included.

    `text` leaves each handler the form that it has.
    """
    if form == "text":
        return
    logging.captureWarnings(capture=True)
    names = ("", *logging.root.manager.loggerDict)
    handlers = {each for name in names for each in logging.getLogger(name).handlers}
    for handler in handlers:
        handler.filters.clear()  # BentoML's only make the fields of its text
        handler.setFormatter(JSONLines())
