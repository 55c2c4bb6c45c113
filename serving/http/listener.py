"""Where the service listens."""

import os
import socket
from contextlib import suppress


def bound(descriptor: int | None) -> str | None:
    """Return the address, or the path, that a listening socket is bound to; None if it is none."""
    if descriptor is None:
        return None
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as listener:
        name = listener.getsockname()
        return str(name[0] if isinstance(name, tuple) else name)
    return None
