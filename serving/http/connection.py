"""One connection of the web server: who keeps it waiting for a request is hung up on."""

import asyncio
from typing import ClassVar

from uvicorn import config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's line and headers; those of browsers and proxies are some thousand."""

TOO_SLOW = b"408 Request Timeout"
TOO_LARGE = b"431 Request Header Fields Too Large"


class Connection(HttpToolsProtocol):
    """uvicorn's, with a limit for what comes before a request and for what comes after one.

    uvicorn (0.54) waits for ever for a request that has begun, and for the first one; and it reads
    on for ever what is left of a body whose request it has answered. Here both have `seconds`.
    """

    seconds: ClassVar[float] = 20.0
    _impatience: asyncio.TimerHandle | None = None
    _head = 0
    _heading = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what comes, and wait on unless it was all of a request's head."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_longer()
            return
        self._wait()
        if self._heading:
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self._end(TOO_LARGE)

    def on_message_begin(self) -> None:
        """Count a new head."""
        super().on_message_begin()
        self._heading, self._head = True, 0

    def on_headers_complete(self) -> None:
        """Count no more."""
        self._heading = False
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._impatience is None:
            self._impatience = self.loop.call_later(self.seconds, self._end, TOO_SLOW)

    def _wait_no_longer(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _end(self, status: bytes) -> None:
        """Close; who has begun a request is told why."""
        if self.transport.is_closing():
            return
        if self._heading:
            self.transport.write(b"HTTP/1.1 " + status + CLOSING)
        self.transport.close()


CLOSING = b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def impatient(seconds: float) -> None:
    """Let the web server, which BentoML starts and has no option for it, take connections so."""
    Connection.seconds = seconds
    config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{Connection.__name__}"
