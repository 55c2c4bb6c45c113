"""The sync's own small HTTP server: nudges in, metrics and liveness out."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

from models.errors import StoreFailed
from registry.syncing.nudge import ID, refused
from registry.syncing.replay import Heard

_LOG = logging.getLogger(__name__)

LARGEST = 64 * 1024
"""Bytes of a nudge; MLflow's are some hundred."""
PATIENCE = 5.0
"""Seconds that a caller may take to send it."""
AT_ONCE = 16
"""Callers; who comes beyond them is hung up on."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What the listener needs: how nudges are signed, what one does, what metrics say."""

    secret: str
    nudged: Callable[[], None]
    metrics: Callable[[], bytes]


@contextmanager
def listening(url: str, calls: Calls) -> Iterator[int]:
    """Listen at an address meanwhile; yields the port (a new one for port 0).

    `POST /` with a good signature nudges, once; `GET /livez` and `GET /metrics` are for probes.
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
        self.heard = Heard()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Give one caller so many seconds in all, however slowly they send."""
        ending = threading.Timer(PATIENCE, _hang_up, [request])
        ending.daemon = True
        ending.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            ending.cancel()
            self._places.release()


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


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
        if not self._heard.first(self.headers.get(ID, "")):
            _LOG.warning("A nudge was refused: it was heard before")
            self._answer(HTTPStatus.CONFLICT)
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

    @property
    def _heard(self) -> Heard:
        return cast("_Server", self.server).heard

    def log_message(self, *_: object) -> None:
        """Keep the log for what matters."""

    def _answer(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
