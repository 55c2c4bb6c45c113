"""HTTP/1.1 as cheap as Python has it: the load generator shares the cores with what it measures."""

import asyncio
import re
from dataclasses import dataclass
from typing import cast

END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
RETRY_AFTER = re.compile(rb"\r\nretry-after: *([^\r]*)", re.IGNORECASE)
SERVER_TIMING = re.compile(rb"\r\nserver-timing: *([^\r]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """The head of an answer, and its body (of a chunked one with the chunks' frames)."""

    status: int
    body: bytes
    keeps: bool
    retry_after: str | None
    server_timing: str | None


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        """Wait to be connected."""
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[Reply] | None = None

    @property
    def open(self) -> bool:
        """Whether the next request may be sent here."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        """Send a whole request; ConnectionError where the other side hangs up."""
        reply = self._reply = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            reply.set_exception(ConnectionResetError("closed while idle"))
        else:
            self._transport.write(request)
        return reply

    def hang_up(self) -> None:
        """Close at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Settle the request once its answer is whole."""
        self._received += data
        if self._reply is None or (reply := parsed(self._received)) is None:
            return
        self._received.clear()
        if not reply.keeps:
            self.hang_up()
        if not self._reply.done():
            self._reply.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that is under way."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ConnectionResetError(str(exc or "hung up")))


def parsed(received: bytearray) -> Reply | None:
    """Return the answer that was received, None where it is not whole yet."""
    at = received.find(END)
    if at < 0:
        return None
    head = bytes(received[:at])
    length = LENGTH.search(head)
    if CHUNKED.search(head):
        if not received.endswith(b"0" + END):
            return None
    elif len(received) < at + len(END) + (int(length[1]) if length else 0):
        return None
    return Reply(
        status=int(head[9:12]),
        body=bytes(received[at + len(END) :]),
        keeps=not CLOSE.search(head),
        retry_after=_text(RETRY_AFTER.search(head)),
        server_timing=_text(SERVER_TIMING.search(head)),
    )


def _text(match: re.Match[bytes] | None) -> str | None:
    return match[1].decode("latin-1") if match else None


def post(path: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return a whole request."""
    lines = {"Host": host, "Content-Type": "application/json", "Content-Length": len(body)}
    head = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
