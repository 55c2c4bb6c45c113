"""Variables of the service in a file that deploys it: wrong ones would only show when it starts."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import SecretStr, ValidationError

from models.settings import ENV_PREFIX, Settings, unknown_variables

MLFLOW_SECRETS = {"MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD"}
SECRETS = MLFLOW_SECRETS | {
    ENV_PREFIX + name.upper()
    for name, field in Settings.model_fields.items()
    if field.annotation is SecretStr
}


def wrong_variables(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield settings that do not exist or can't have their value, and secrets in the open."""
    known = {ENV_PREFIX + name.upper(): name for name in Settings.model_fields}
    for name in unknown_variables(variables):
        yield unknown(name, known)
    for name in sorted(SECRETS & variables.keys()):
        yield f"{name} belongs into a secret, not into a file"
    given: dict[str, Any] = {known[name]: variables[name] for name in known.keys() & variables}
    try:
        Settings(**given)
    except ValidationError as error:
        for wrong in error.errors():
            if wrong["loc"] and (name := str(wrong["loc"][0])) in given:  # the rest is not theirs
                yield f"{ENV_PREFIX}{name.upper()}: {wrong['msg']}"


def unknown(name: str, known: Iterable[str]) -> str:
    """Say that there is no such key, and which one may have been meant."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"no such key: {name}" + (f" (meant: {close[0]}?)" if close else "")
