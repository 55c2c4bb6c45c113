"""The sync's own small HTTP server: nudges in, metrics and liveness out."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

from models.errors import StoreFailed
from registry.syncing.nudge import refused

_LOG = logging.getLogger(__name__)

LARGEST = 64 * 1024
"""Bytes of a nudge; MLflow's are some hundred."""
PATIENCE = 5.0
"""Seconds that a caller may take to send it."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What the listener needs: how nudges are signed, what one does, what metrics say."""

    secret: str
    nudged: Callable[[], None]
    metrics: Callable[[], bytes]


@contextmanager
def listening(url: str, calls: Calls) -> Iterator[int]:
    """Listen at an address meanwhile; yields the port (a new one for port 0).

    `POST /` with a good signature nudges; `GET /livez` and `GET /metrics` are for probes.
    StoreFailed where the address can't be had.
    """
    place = urlsplit(url)
    address = place.hostname or "127.0.0.1", 80 if place.port is None else place.port
    try:
        server = _Server(address, calls)
    except OSError as error:
        message = f"{url} can't be listened at ({error.strerror}); POLYSENT_SYNC_URL names another"
        raise StoreFailed(message) from error
    thread = threading.Thread(target=server.serve_forever, args=[0.1], daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], calls: Calls) -> None:
        self.calls = calls
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE
    server_version = "polysent"
    sys_version = ""

    def do_POST(self) -> None:
        """Hear a nudge."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        if why := refused(self._calls.secret, self.headers, body, time.time()):
            _LOG.warning("A nudge was refused: %s", why)
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        self._calls.nudged()
        self._answer(HTTPStatus.ACCEPTED)

    def do_GET(self) -> None:
        """Answer probes."""
        if self.path == "/livez":
            self._answer(HTTPStatus.OK)
        elif self.path == "/metrics":
            self._answer(HTTPStatus.OK, self._calls.metrics())
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    @property
    def _calls(self) -> Calls:
        return cast("_Server", self.server).calls

    def log_message(self, *_: object) -> None:
        """Keep the log for what matters."""

    def _answer(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
