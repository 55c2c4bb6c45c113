"""A call that says "look now": from MLflow's webhooks, or from a command of ours.

Both are signed as MLflow signs: HMAC-SHA256 over "{id}.{time}.{body}". What a call says is never
believed, for calls come late, out of order or not at all; the sync looks for itself.
"""

import base64
import hashlib
import hmac
import time
import uuid
from http import HTTPStatus
from typing import Protocol

import httpx

from models.errors import RegistryUnavailable

ID, TIME, SIGNATURE = "X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature"
VERSION = "v1,"
MOST_SECONDS = 300
"""A signature is good for so long, either way."""
SECONDS = 2.0
"""How long a command waits for the sync to answer."""


class Headers(Protocol):
    """Headers by name, in whatever case."""

    def get(self, name: str, default: str, /) -> str:
        """Return a header, or the default."""
        ...


def nudge(url: str, secret: str) -> None:
    """Tell the sync at an address to look now; RegistryUnavailable where none takes it."""
    headers = signed(secret, uuid.uuid4().hex, int(time.time()), b"{}")
    try:
        answer = httpx.post(url, content=b"{}", headers=headers, timeout=SECONDS, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"no sync listens at {url}: {error}"
        raise RegistryUnavailable(message) from error
    if answer.status_code != HTTPStatus.ACCEPTED:
        message = f"the sync at {url} refused the nudge: HTTP {answer.status_code}"
        raise RegistryUnavailable(message)


def signed(secret: str, delivery: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers of a call that is made at a time, in seconds since 1970."""
    return {ID: delivery, TIME: str(at), SIGNATURE: VERSION + _mac(secret, delivery, str(at), body)}


def refused(secret: str, headers: Headers, body: bytes, now: float) -> str | None:
    """Return why a call is not to be heard; None where it is. Constant time in the signature."""
    delivery, at = headers.get(ID, ""), headers.get(TIME, "")
    given = headers.get(SIGNATURE, "")
    expected = VERSION + _mac(secret, delivery, at, body)
    if not hmac.compare_digest(given.encode(), expected.encode()):
        return "the signature is wrong"
    if not at.isdecimal() or abs(now - int(at)) > MOST_SECONDS:
        return "the signature is too old"
    return None


def _mac(secret: str, delivery: str, at: str, body: bytes) -> str:
    signed_text = f"{delivery}.{at}.".encode() + body
    return base64.b64encode(hmac.digest(secret.encode(), signed_text, hashlib.sha256)).decode()
