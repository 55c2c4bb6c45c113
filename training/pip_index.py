"""Downloading from the Python package index that the user's pip is set to."""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from unearth import Link, PackageFinder
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers import Fetcher, PyPIClient

from training.catalogue import Package
from training.errors import FetchFailed

BLOCK = 1 << 20
ATTEMPTS = 3
SECONDS = 60.0
KEYS = ("index-url", "extra-index-url", "find-links", "trusted-host", "cert")
Settings = dict[str, list[str]]


def download(package: Package, path: Path) -> None:
    """Write the file of `package` to `path`, as it is; three attempts, then `FetchFailed`."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _download(package, path)
        except FetchFailed:
            raise
        except Exception as error:
            if attempt == ATTEMPTS:
                message = f"{package.filename} could not be downloaded: {error!r}"
                raise FetchFailed(message) from error
        else:
            return


def _download(package: Package, path: Path) -> None:
    settings = pip_settings()
    with _client(settings) as client:
        link = _link(_finder(settings, client), package)
        with client.get_stream(link.normalized) as response, path.open("wb") as file:
            response.raise_for_status()
            file.writelines(response.iter_bytes(BLOCK))


def _link(finder: PackageFinder, package: Package) -> Link:
    offered = finder.find_all_packages(package.name, allow_yanked=True)
    for candidate in offered:
        if candidate.link.filename == package.filename:
            return candidate.link
    message = f"the package index offers no {package.filename}"
    raise FetchFailed(message)


def _client(settings: Settings) -> PyPIClient:
    authority = os.environ.get("SSL_CERT_FILE") or _first(settings, "cert")
    authority = authority or os.environ.get("REQUESTS_CA_BUNDLE")
    client = PyPIClient(
        verify=ssl.create_default_context(cafile=authority) if authority else True,
        trusted_hosts=settings.get("trusted-host", []),
        follow_redirects=True,
        timeout=SECONDS,
    )
    client.auth = MultiDomainBasicAuth(index_urls=settings.get("index-url", []))
    return client


def _finder(settings: Settings, client: PyPIClient) -> PackageFinder:
    """Return a finder over the user's sources, beside the library's own index unless replaced."""
    finder = PackageFinder(cast("Fetcher", client), ignore_compatibility=True)
    if "index-url" in settings:
        finder.sources.clear()
    for url in settings.get("index-url", []) + settings.get("extra-index-url", []):
        finder.add_index_url(url)
    for place in settings.get("find-links", []):
        finder.add_find_links(place)
    return finder


def pip_settings() -> Settings:
    """Return what pip is told about indexes, by its own names: its files, then the environment.

    Without pip the environment alone counts.
    """
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    settings = dict(parse(listing.stdout))
    for key in KEYS:
        if value := os.environ.get("PIP_" + key.upper().replace("-", "_")):
            settings[key] = value.split()
    return settings


def parse(listing: str) -> Iterator[tuple[str, list[str]]]:
    """Yield key and values of each line of `pip config list` that a download heeds."""
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in {"global", "download"} and key in KEYS:
            yield key, value.strip("'\"").replace("\\n", " ").split()


def _first(settings: Settings, key: str) -> str | None:
    return next(iter(settings.get(key, [])), None)
