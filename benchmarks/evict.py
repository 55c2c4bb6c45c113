"""Ways to make a running service close a model."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus

from benchmarks.server import ADMIN_TOKEN, Service
from models.routes import CHECKED_EVERY

Evict = Callable[[Service, str], None]


def by_call(service: Service, language: str) -> None:
    """Ask the service for it; urllib.error.HTTPError where it will not."""
    name = service.fleet.tags[language].model.name
    url = f"{service.url}/models/{name}/evict"
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    call = urllib.request.Request(url, method="POST", headers=headers)  # noqa: S310
    with urllib.request.urlopen(call, timeout=30):  # noqa: S310
        pass


def by_route(service: Service, language: str) -> None:
    """Take its route away for a moment; takes half a second."""
    others = [each for each in service.fleet.languages if each != language]
    probe = f"{service.url}/languages"
    for languages in (others, service.fleet.languages):
        service.fleet.route(languages)
        time.sleep(CHECKED_EVERY)
        with urllib.request.urlopen(probe, timeout=30):  # noqa: S310
            pass


def way(service: Service) -> Evict:
    """Return the best way that this service has."""
    try:
        by_call(service, service.fleet.languages[-1])
    except urllib.error.HTTPError as error:
        if error.code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            return by_route
        raise
    return by_call
