"""A port of its own for whoever runs the service, beside the one for everyone."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from bentoml.exceptions import BentoMLException
from fastapi import FastAPI
from uvicorn import Config, Server

from models.settings import Settings
from serving.http import admin, memory, metrics, probes
from serving.http.access import Access
from serving.http.asked import beside
from serving.http.edge import Edge
from serving.http.limits import Limits
from serving.http.log import RequestLog


class AdminPort:
    """Where the service is changed: at this port, or at the public one while it is 0.

    1. It answers as the public port does: the same keys, limits and log, the same event loop.
    2. It listens before the service is ready; where it can't, the service does not start.
    3. It ends last, once the public port is drained, so that who watches sees that.
    """

    def __init__(self, public: FastAPI, settings: Settings, access: Access, limits: Limits) -> None:
        """Give the operations to the application that answers them; nothing listens yet."""
        self._address = settings.admin_host, settings.admin_port
        self._access = access
        self.app = beside() if settings.admin_port else public
        self.app.include_router(admin.routes)
        if self.app is not public:
            for each in (memory, metrics, probes):
                self.app.include_router(each.routes)
        layers = RequestLog(Edge(self.app, limits, access=access), settings.log)
        self._server = _Guest(
            Config(layers, lifespan="off", log_config=None, access_log=False, server_header=False)
        )
        self._serving: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise a BentoMLException, which `bentoml serve` says, where it can't listen."""
        if self._address[1]:
            self._listener().close()

    async def open(self) -> None:
        """Listen, and answer from now on; a BentoMLException where it can't."""
        if self._address[1]:
            listener = self._listener()
            self._access.announce(listener.getsockname()[0])
            self._serving = asyncio.create_task(self._server.serve([listener]))

    async def close(self) -> None:
        """Answer what is under way, and listen no more."""
        self._server.should_exit = True
        if self._serving:
            await self._serving

    def _listener(self) -> socket.socket:
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            return socket.create_server(self._address, family=family)
        except OSError as error:
            message = f"POLYSENT_ADMIN_PORT: can't listen on {host}, port {port}: {error.strerror}"
            raise BentoMLException(message) from error


class _Guest(Server):
    """uvicorn's, in a process whose signals another server takes."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield
