import signal
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from bentoml.exceptions import BentoMLException
from fastapi import FastAPI
from pydantic import ValidationError

from models.settings import Settings
from serving.http.access import Access
from serving.http.admin_port import AdminPort
from serving.http.asked import beside
from serving.http.keyring import Keyring
from serving.http.limits import Limits

Make = Callable[[int], AdminPort]


@pytest.fixture
def public() -> FastAPI:
    """Return the application of the public port."""
    return beside()


@pytest.fixture
def make(public: FastAPI, tmp_path: Path) -> Make:
    """Return what makes an admin port of a number."""
    access = Access(Keyring(tmp_path / "keys.json"))
    return lambda port: AdminPort(public, Settings(admin_port=port), access, Limits(1024, 5))


@pytest.fixture
def port() -> int:
    """Return a port that no one listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number: int = probe.getsockname()[1]
        return number


def paths(app: FastAPI) -> set[str]:
    """Return where an application answers."""
    return set(app.openapi()["paths"])


async def test_port_is_there_from_open_to_close(make: Make, port: int) -> None:
    """A connection that its client keeps is not waited for; signals stay whose they were."""
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    admin_port = make(port)
    admin_port.check()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/livez")
        await admin_port.open()
        assert (await client.get("/livez")).status_code == 200
        assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers
        await admin_port.close()
        with pytest.raises(httpx.ConnectError):
            await client.get("/livez")


async def test_without_one_the_operations_are_public(make: Make, public: FastAPI) -> None:
    """And nothing listens anywhere else."""
    admin_port = make(0)
    admin_port.check()
    await admin_port.open()
    await admin_port.close()

    assert "/models/{language}/pin" in paths(public)
    assert admin_port.app is public


def test_with_one_they_are_not(make: Make, public: FastAPI, port: int) -> None:
    """Neither port has what it need not have."""
    admin_port = make(port)

    assert "/models/{language}/pin" in paths(admin_port.app) - paths(public)
    assert not [path for path in paths(admin_port.app) if "predict" in path]


async def test_port_that_is_taken_is_said(make: Make) -> None:
    """With the setting to change, before a worker is there, and to it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        admin_port = make(taken.getsockname()[1])
        with pytest.raises(BentoMLException, match="POLYSENT_ADMIN_PORT"):
            admin_port.check()
        with pytest.raises(BentoMLException, match="POLYSENT_ADMIN_PORT"):
            await admin_port.open()


def test_both_ports_are_not_one() -> None:
    """It would be taken in each start."""
    with pytest.raises(ValidationError, match="must not be POLYSENT_PORT"):
        Settings(port=3000, admin_port=3000)
