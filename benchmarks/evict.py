"""Make a running service close a model, as `polysent models evict` does."""

import urllib.request

from benchmarks.server import ADMIN_TOKEN, Service


def evict(service: Service, language: str) -> None:
    """Ask the service for it; urllib.error.HTTPError where it will not."""
    url = f"{service.url}/models/{language}/evict"
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    call = urllib.request.Request(url, method="POST", headers=headers)  # noqa: S310
    with urllib.request.urlopen(call, timeout=30):  # noqa: S310
        pass
