"""Questions to servers, answered within a second or not at all."""

from functools import cache
from http import HTTPStatus

import httpx

TIMEOUT_SECONDS = 1.0


@cache
def _client() -> httpx.Client:
    """Return the one client: making one costs tens of milliseconds, for TLS seldom needed."""
    none_kept = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, limits=none_kept)


def answers(url: str) -> bool:
    """Say whether a GET is answered 200."""
    try:
        answer = _client().get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.status_code == HTTPStatus.OK
