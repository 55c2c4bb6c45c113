"""Files fetched from MLflow, going on where a cut connection left off."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

CHUNK = 2**20
PART = ".part"
PROXIED = "mlflow-artifacts:"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""What a manifest may name; a registry that is not trusted may list anything."""


def download(repository: Any, location: str, into: Path) -> None:  # noqa: ANN401
    """Bring all files of a version into a folder.

    Through the server's own proxy each file goes on from the bytes that are there already, where
    the server takes a Range (it does over a folder of its own, not over S3); from elsewhere
    (S3 itself, a shared disk) MLflow's client brings them, anew. Nothing is verified.
    """
    if not location.startswith(PROXIED):
        repository.download_artifacts("", dst_path=str(into))
        return
    for file in repository.list_artifacts():
        if not file.is_dir and NAME.fullmatch(file.path):  # an artifact has no folders
            _fetch(repository, file.path, file.file_size, into / file.path)


def size(repository: Any) -> int:  # noqa: ANN401
    """Return the bytes of all files of a version."""
    return sum(file.file_size or 0 for file in repository.list_artifacts())


def _fetch(repository: Any, name: str, nbytes: int | None, path: Path) -> None:  # noqa: ANN401
    if nbytes is not None and path.is_file() and path.stat().st_size == nbytes:
        return
    part = path.with_name(path.name + PART)
    have = part.stat().st_size if part.exists() else 0
    if nbytes is not None and have > nbytes:
        part.unlink()
        have = 0
    if not have or have != nbytes:
        _receive(repository, name, part, Span(have, nbytes))
    if nbytes is not None and part.stat().st_size != nbytes:
        message = f"{name}: {part.stat().st_size} bytes came, not {nbytes}"
        raise OSError(message)
    part.replace(path)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file that are here, and all that it is said to have."""

    have: int
    total: int | None


def _receive(repository: Any, name: str, part: Path, span: Span) -> None:  # noqa: ANN401
    from mlflow.utils import request_utils, rest_utils  # noqa: PLC0415  (heavy)

    http: Any = rest_utils.http_request
    check: Any = request_utils.augmented_raise_for_status
    wanted = {"Range": f"bytes={span.have}-"} if span.have else {}
    answer = http(
        repository._host_creds,  # noqa: SLF001  (as MLflow's own repository does; it has no other)
        f"/{quote(name)}",
        "GET",
        stream=True,
        extra_headers=wanted | {"Accept-Encoding": "identity"},
    )
    with answer:
        check(answer)
        goes_on = answer.status_code == HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                if span.total is not None and file.tell() > span.total:
                    message = f"{name}: more bytes come than MLflow lists"
                    raise OSError(message)
