"""Who moves an alias: MLflow keeps no trace of it, so the command says it."""

import getpass
import os
import socket
from collections.abc import Mapping

USERNAME = "MLFLOW_TRACKING_USERNAME"


def actor(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name that MLflow knows where there is one, else `user@host`."""
    return environment.get(USERNAME, "") or f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
