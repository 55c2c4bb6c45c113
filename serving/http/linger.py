"""The end of a connection whose client has its answer, and is still sending."""

import asyncio
import socket
from contextlib import suppress

SECONDS = 1.0
MOST = 16 * 2**20
"""Bytes; what a client has under way when it is told to stop is less."""
AT_ONCE = 2**16


async def linger(descriptor: int) -> None:
    """Say that the answer is over, and take what still comes, for a while; then close.

    A socket that is closed with bytes unread resets the connection, and its client may lose the
    end of the answer (RFC 9112, 9.6).
    """
    loop, size = asyncio.get_running_loop(), 0
    with suppress(OSError), socket.socket(fileno=descriptor) as line:
        line.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(SECONDS):
            while size < MOST and (piece := await loop.sock_recv(line, AT_ONCE)):
                size += len(piece)
