import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from cli import servers
from cli.main import app
from models.keys import Scope
from models.settings import Settings
from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import free_port, serving
from tests.wire.keys import add

pytestmark = pytest.mark.wire

VERBS = ("pin", "unpin", "evict")
ENDS_SECONDS = 20


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store with a tiny model."""
    store = Store(tmp_path_factory.mktemp("store"))
    serve_tiny(store, "en")
    return store


@pytest.fixture(scope="module")
def keys(store: Store) -> dict[Scope, dict[str, str]]:
    """Return a header for each scope."""
    return {scope: {"X-API-Key": add(store, str(scope), scope)} for scope in Scope}


@pytest.fixture(scope="module")
def port() -> int:
    """Return the admin port."""
    return free_port()


@pytest.fixture(scope="module")
def public(
    store: Store,
    keys: dict[Scope, dict[str, str]],
    port: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx.Client]:
    """Return a client of the public port of a service that has an admin port, and keys."""
    assert keys
    folder = tmp_path_factory.mktemp("service")
    with (
        serving(store, folder, POLYSENT_ADMIN_PORT=str(port)) as (url, _),
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        yield client


@pytest.fixture
def private(public: httpx.Client, port: int) -> Iterator[httpx.Client]:
    """Return a client of its admin port."""
    assert public
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        yield client


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_public_port_has_no_operations(
    public: httpx.Client, keys: dict[Scope, dict[str, str]]
) -> None:
    """Whoever asks, with the right key too; nor does its document name them."""
    for verb in VERBS:
        assert problem(public.post(f"/models/en/{verb}")) == (401, "unauthorized")
        for headers in keys.values():
            answer = public.post(f"/models/en/{verb}", headers=headers)
            assert problem(answer) == (404, "not_found")
    known = keys[Scope.PREDICT]
    assert not public.get("/models/en", headers=known).json()["model"]["pinned"]
    paths = public.get("/openapi.json", headers=known).json()["paths"]
    assert not [path for path in paths if path.endswith(VERBS)]
    assert {"/models", "/models/{language}", "/metrics"} <= paths.keys()


def test_admin_port_wants_the_same_keys(
    private: httpx.Client, public: httpx.Client, keys: dict[Scope, dict[str, str]]
) -> None:
    """Each scope opens what it opens elsewhere, and what is changed is changed for all."""
    assert problem(private.post("/models/en/pin")) == (401, "unauthorized")
    assert problem(private.get("/metrics")) == (401, "unauthorized")
    known, admin = keys[Scope.PREDICT], keys[Scope.ADMIN]
    assert problem(private.post("/models/en/pin", headers=known)) == (403, "forbidden")
    assert private.get("/models", headers=known).status_code == 200

    assert private.post("/models/en/pin", headers=admin).json()["pinned"]
    assert public.get("/models/en", headers=known).json()["model"]["pinned"]
    assert problem(private.post("/models/en/evict", headers=admin)) == (409, "model_pinned")
    assert not private.post("/models/en/unpin", headers=admin).json()["pinned"]
    assert private.post("/models/en/evict", headers=admin).json()["state"] == "cold"


def test_admin_port_answers_who_watches_and_nobody_else(
    private: httpx.Client, public: httpx.Client, keys: dict[Scope, dict[str, str]]
) -> None:
    """Probes to everyone, metrics to a key; texts are for the public port."""
    known = keys[Scope.PREDICT]
    for probe in ("/livez", "/readyz", "/healthz"):
        assert private.get(probe).status_code == public.get(probe).status_code == 200
    metrics = private.get("/metrics", headers=known)
    assert "polysent_ready 1.0" in metrics.text
    body = {"text": "good", "language": "en"}
    assert problem(private.post("/predict", json=body, headers=known)) == (404, "not_found")
    assert {"x-request-id", "server-timing"} <= metrics.headers.keys()


def test_command_of_the_machine_finds_it(
    public: httpx.Client, store: Store, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the settings of the service; the public port says where to look."""
    monkeypatch.setenv("BENTOML_HOME", str(store.home))
    elsewhere = CliRunner().invoke(app, ["models", "pin", "en", "--url", str(public.base_url)])
    assert elsewhere.exit_code == 1
    assert "POLYSENT_ADMIN_PORT" in elsewhere.stderr

    monkeypatch.setenv("POLYSENT_ADMIN_PORT", str(port))
    for verb, pinned in (("pin", True), ("unpin", False)):
        said = CliRunner().invoke(app, ["models", verb, "en", "--json"])
        assert said.exit_code == 0, said.stderr
        assert json.loads(said.stdout)["pinned"] is pinned


def test_requests_at_the_admin_port_are_logged(
    store: Store, keys: dict[Scope, dict[str, str]], tmp_path: Path
) -> None:
    """As all are, with who asked; and it ends after the last answer, without a fault."""
    port, admin = free_port(), keys[Scope.ADMIN]
    with (
        serving(store, tmp_path, POLYSENT_ADMIN_PORT=str(port), POLYSENT_LOG="json") as (_, child),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=admin, trust_env=False) as client,
    ):
        assert client.post("/models/en/pin", timeout=30).status_code == 200
        child.stop()  # its connection is still there: nobody waits for that
        assert child.exit_code == 0, child.last_words(40)
    lines = [json.loads(line) for line in child.log.read_text().splitlines() if line[:1] == "{"]
    (said,) = (line for line in lines if line.get("method") == "POST")
    assert (said["route"], said["status"]) == ("/models/{language}/pin", 200)
    assert said["caller"] == "admin"
    assert not [line for line in lines if line["level"] not in {"info", "debug"}]


def test_port_that_is_taken_stops_the_start(store: Store, tmp_path: Path) -> None:
    """At once, with the setting to change, rather than a service that can't be changed."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        child = servers.service(Settings(home=tmp_path, port=free_port()))
        child.environment = {
            **child.environment,
            "BENTOML_HOME": str(store.home),
            "POLYSENT_ADMIN_PORT": str(port),
        }
        child.start()
        try:
            deadline = time.monotonic() + ENDS_SECONDS
            while child.running:
                assert time.monotonic() < deadline, child.last_words(40)
                time.sleep(0.1)
        finally:
            child.stop()
    assert child.exit_code != 0
    said = " ".join(child.log.read_text().split())
    assert f"POLYSENT_ADMIN_PORT: can't listen on 127.0.0.1, port {port}" in said
    assert "Traceback" not in said
