"""A proxy on loopback that cuts the line once: what is behind it seems to die in the middle."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

CHUNK = 16 * 1024


@dataclass
class Cut:
    """Passes bytes on; the first answer longer than `after` bytes is cut there."""

    target: tuple[str, int]
    after: int
    cuts: int = 1
    total: int = 0
    """Bytes of all answers."""

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=self._pair, args=[near], daemon=True).start()

    def _pair(self, near: socket.socket) -> None:
        far = socket.create_connection(self.target)
        threading.Thread(target=self._forward, args=[near, far], daemon=True).start()
        self._back(far, near)

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while chunk := near.recv(CHUNK):
                far.sendall(chunk)
        _close(far)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while chunk := far.recv(CHUNK):
                near.sendall(chunk)
                passed += len(chunk)
                self.total += len(chunk)
                if passed > self.after and self.cuts:
                    self.cuts -= 1
                    break
        _close(near)
        _close(far)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def cutting(host: str, port: int, after: int) -> Iterator[tuple[str, Cut]]:
    """Put a proxy before a server; yields its address and what it did."""
    cut = Cut((host, port), after)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=cut.serve, args=[listener], daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", cut
        listener.shutdown(socket.SHUT_RDWR)
