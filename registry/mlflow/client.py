"""MLflow's client, made quick to give up and its failures made ours."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from models.errors import RegistryUnavailable
from registry.quiet import quiet

SETTINGS = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""By itself the client tries for minutes (7 retries, each twice as late) and writes to stdout."""
NOISY = ("mlflow", "urllib3")
"""Loggers that warn of each retry; ours says what came of them."""
_LONGEST_REASON = 300
_NO_ANSWER = "Max retries exceeded"


def open_client(uri: str) -> Any:  # noqa: ANN401  (MLflow has no types)
    """Return an MlflowClient; sends nothing yet.

    Writes SETTINGS into the environment where the user has not: MLflow reads them nowhere else.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    with quiet():  # its imports warn of its own models
        from mlflow import MlflowClient  # noqa: PLC0415  (1.3 s, 70 MB)

    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri)


@contextmanager
def answers(uri: str, what: str) -> Iterator[None]:
    """Turn every way in which MLflow fails into RegistryUnavailable, a full disk into OSError.

    ImportError is one: MLflow's client wants a cloud's library where its server serves no
    artifacts itself.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  (heavy)

    try:
        yield
    except (MlflowException, OSError, ImportError) as error:
        if f"[Errno {errno.ENOSPC}]" in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        place = urlsplit(uri)
        plain = place.netloc.rpartition("@")[2]  # without what may be a password
        reason = _reason(error).replace(place.netloc, plain)
        message = f"MLflow at {place.scheme}://{plain} could not {what}: {reason}"
        raise RegistryUnavailable(message) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return "it does not answer" if _NO_ANSWER in text else text[:_LONGEST_REASON]
