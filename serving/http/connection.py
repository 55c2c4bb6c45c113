"""One connection of the web server: who keeps it waiting is hung up on."""

import asyncio
import os
from contextlib import suppress
from functools import partial
from typing import ClassVar

from uvicorn import config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.http.linger import linger

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's line, headers and trailers; those of browsers and proxies are some 1000."""

SLICE = 4096
"""Bytes that the parser gets at once; so many at most are not counted, where it keeps them."""

FRAMING = len(": \r\n")
"""Bytes of a header beside its name and value."""

TOO_SLOW = b"408 Request Timeout"
TOO_LARGE = b"431 Request Header Fields Too Large"


class Connection(HttpToolsProtocol):
    """uvicorn's, with a limit for what comes before a request and for what comes after one.

    1. uvicorn (0.54) waits for ever for a request that has begun, and for the first one; and it
       reads on for ever what is left of a body whose request it has answered.
    2. It waits for ever for a client to take what it has written, also once it has closed the
       connection, and so does its own end.
    3. It keeps every header and trailer, and what has come of the next one.
    4. It closes a connection without taking what its client is still sending: see linger.

    Here the first two have `seconds` (the second twice as many after a close), the third
    LARGEST_HEAD.
    """

    seconds: ClassVar[float] = 20.0
    _impatience: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _next_look: asyncio.TimerHandle | None = None
    _head = 0
    _loose = 0
    """Bytes that came since the parser last handed anything on: it holds them."""
    _heading = False
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()
        self._look(was_closing=False)

    def data_received(self, data: bytes) -> None:
        """Take what comes, and wait on unless it was all of a request's head."""
        for start in range(0, len(data), SLICE):
            if start and self._is_over():
                return
            piece = data[start : start + SLICE]
            self._loose += len(piece)
            super().data_received(piece)
            self._took(0)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_longer()
        else:
            self._wait()

    def on_message_begin(self) -> None:
        """Count a new head."""
        super().on_message_begin()
        self._heading, self._head, self._loose = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """Count a piece of a request's line."""
        super().on_url(url)
        self._loose = 0
        self._took(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, or a trailer."""
        super().on_header(name, value)
        self._loose = 0
        self._took(len(name) + len(value) + FRAMING)

    def on_headers_complete(self) -> None:
        """From here on a refusal would be in the middle of an answer."""
        self._heading = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count nothing: who reads a body has a limit for it."""
        self._loose = 0
        super().on_body(body)

    def pause_writing(self) -> None:
        """Wait for the client to take what was written."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Wait no more: the client has taken it."""
        self._wait_for_no_reader()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_longer()
        self._wait_for_no_reader()
        if self._next_look is not None:
            self._next_look.cancel()
        if exc is None and not self._refused:
            self._linger()
        super().connection_lost(exc)

    def _linger(self) -> None:
        answered = self.cycle is not None and self.cycle.response_complete
        if answered and self.cycle.more_body:
            with suppress(OSError):
                line = os.dup(self.transport.get_extra_info("socket").fileno())
                task = self.loop.create_task(linger(line))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    def _is_over(self) -> bool:
        """Say whether this connection is closed, or a websocket's."""
        return self.transport.is_closing() or self.transport.get_protocol() is not self

    def _wait(self) -> None:
        if self._impatience is None:
            self._impatience = self.loop.call_later(self.seconds, self._end, TOO_SLOW)

    def _wait_no_longer(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _wait_for_no_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _look(self, *, was_closing: bool) -> None:
        """Drop who has not taken the last of an answer since the look before."""
        if was_closing:
            self.transport.abort()
            return
        again = partial(self._look, was_closing=self.transport.is_closing())
        self._next_look = self.loop.call_later(self.seconds, again)

    def _took(self, size: int) -> None:
        self._head += size
        if self._head + self._loose > LARGEST_HEAD:
            self._end(TOO_LARGE)

    def _end(self, status: bytes) -> None:
        """Close; who has begun a request is told why."""
        if self.transport.is_closing():
            return
        self._refused = True
        if self._heading:
            self.transport.write(b"HTTP/1.1 " + status + CLOSING)
        self.transport.close()


CLOSING = b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def impatient(seconds: float) -> None:
    """Let the web server, which BentoML starts and has no option for it, take connections so."""
    Connection.seconds = seconds
    config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{Connection.__name__}"
