"""Questions to servers, answered within a second or not at all."""

from http import HTTPStatus

import httpx

TIMEOUT_SECONDS = 1.0


def answers(url: str) -> bool:
    """Say whether a GET is answered 200."""
    try:
        answer = httpx.get(url, timeout=TIMEOUT_SECONDS, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.status_code == HTTPStatus.OK
