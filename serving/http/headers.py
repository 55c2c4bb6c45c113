"""What a caller says in headers beside the body, and what an answer says there."""

import re
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers

from models.errors import InvalidHeader, UnsupportedMediaType
from serving.call import Stage

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
SECONDS = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
PREFERENCE = re.compile(r'\s*wait\s*=\s*("?)([^";]*)\1\s*(;.*)?', re.IGNORECASE)
TRACE = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds the caller waits, and whether `Prefer: wait` has decided that."""

    seconds: float
    applied: str | None = None


def patience(headers: Headers, longest: float) -> Patience:
    """Return the shortest of `Prefer: wait=N` (RFC 7240), `X-Request-Timeout: N` and `longest`.

    Raises InvalidHeader where one of them is no number of seconds above zero.
    """
    seconds = longest
    if (timeout := headers.get("x-request-timeout")) is not None:
        seconds = min(seconds, _seconds("X-Request-Timeout", timeout))
    preferred = _wait(headers.getlist("prefer"))
    if preferred is None:
        return Patience(seconds)
    wait = _seconds("Prefer: wait", preferred)
    return Patience(wait, f"wait={preferred}") if wait <= seconds else Patience(seconds)


def request_id(headers: Headers) -> str:
    """Return the caller's `X-Request-Id`; a new one where none can be sent back."""
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def next_span(headers: Headers) -> str | None:
    """Return the caller's `traceparent` with a span of ours; None where there is no valid one."""
    given = headers.getlist("traceparent")
    match = TRACE.fullmatch(given[0]) if len(given) == 1 else None
    if match is None or match["version"] == "ff" or not int(match["trace"], 16):
        return None
    if not int(match["span"], 16) or (match["version"] == "00" and match["more"]):
        return None
    return f"00-{match['trace']}-{secrets.token_hex(8)}-{match['flags']}"


def must_be(headers: Headers, *media_types: str) -> None:
    """Want the body to be declared as one of these, or as nothing, and not to be compressed.

    Raises UnsupportedMediaType.
    """
    media_type = headers.get("content-type", media_types[0]).partition(";")[0].strip().lower()
    if media_type not in media_types:
        wrong = f"the body is {media_type!r}; send {media_types[0]}"
        raise UnsupportedMediaType(wrong)
    if (coding := headers.get("content-encoding", "identity")).lower() != "identity":
        wrong = f"the body is {coding!r}; send it uncompressed"
        raise UnsupportedMediaType(wrong)


def content_length(headers: Headers) -> int:
    """Return how many bytes the body is said to have; 0 where nothing is said that is a number."""
    said = headers.get("content-length", "")
    return int(said) if said.isdecimal() and said.isascii() else 0


def server_timing(stages: Mapping[Stage, float], total: float) -> str:
    """Return a `Server-Timing` of stages in seconds, in the order in which they began."""
    return ", ".join(
        f"{stage};dur={seconds * 1000:.2f}"
        for stage, seconds in (*stages.items(), ("total", total))
    )


def _wait(preferences: Iterable[str]) -> str | None:
    for preference in ",".join(preferences).split(","):
        if match := PREFERENCE.fullmatch(preference):
            return match[2].strip()
    return None


def _seconds(name: str, spelled: str) -> float:
    if not SECONDS.fullmatch(spelled) or not (seconds := float(spelled)):
        message = f"{name} is {spelled!r}; it must be a number of seconds above zero"
        raise InvalidHeader(message)
    return seconds
