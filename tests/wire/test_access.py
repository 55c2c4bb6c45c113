import asyncio
import json
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shlex import join
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from cli import servers
from cli.main import app
from cli.processes import Child
from models.keys import Scope, change
from models.settings import Settings
from models.store import Store
from serving.http.connection import LARGEST_HEAD, SLICE
from tests.tiny import serve_tiny
from tests.wire.conftest import START_SECONDS, serving
from tests.wire.keys import add

pytestmark = pytest.mark.wire

UPLOAD_SECONDS = 3
TEXT = {"text": "good", "language": "en"}
CLOSED = ("/languages", "/models", "/metrics", "/openapi.json", "/docs.json", "/", "/nothing")
MEGABYTE = b" " * 2**20


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store with a tiny model."""
    store = Store(tmp_path_factory.mktemp("store"))
    serve_tiny(store, "en")
    return store


@pytest.fixture(scope="module")
def keys(store: Store) -> dict[str, str]:
    """Return a key of each scope, and one that may seldom ask."""
    return {
        "predict": add(store, "predict"),
        "admin": add(store, "admin", Scope.ADMIN),
        "slow": add(store, "slow", rate=0.1),
    }


@pytest.fixture(scope="module")
def url(
    store: Store, keys: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of a service with keys."""
    assert keys
    folder = tmp_path_factory.mktemp("service")
    with serving(store, folder, POLYSENT_UPLOAD_SECONDS=str(UPLOAD_SECONDS)) as (url, _):
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """Return a client without a key."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def other(url: str, keys: dict[str, str]) -> Iterator[httpx.Client]:
    """Let another client ask ten times a second meanwhile; it must be answered, and soon."""
    stop = threading.Event()
    statuses: list[int] = []
    seconds: list[float] = []

    def ask() -> None:
        while not stop.wait(0.1):
            began = time.monotonic()
            statuses.append(asker.post("/predict", json=TEXT).status_code)
            seconds.append(time.monotonic() - began)

    headers = bearer(keys["predict"])
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as asker:
        asking = threading.Thread(target=ask)
        asking.start()
        yield asker
        time.sleep(1)
        stop.set()
        asking.join()
    assert set(statuses) == {200}
    assert len(statuses) > 5
    assert statistics.median(seconds) < 1
    assert max(seconds) < 5


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def bearer(key: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


def test_no_key_and_a_wrong_key_are_401(client: httpx.Client, keys: dict[str, str]) -> None:
    """Whatever is asked, documents and metrics too; probes are answered."""
    key = keys["predict"]
    for headers in ({}, bearer("polysent_wrong"), bearer(key[:-1]), {"X-API-Key": key.upper()}):
        answers = [client.get(path, headers=headers) for path in CLOSED]
        for answer in (client.post("/predict", json=TEXT, headers=headers), *answers):
            assert problem(answer) == (401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert key not in answer.text
    assert problem(client.post("/livez", json=TEXT)) == (401, "unauthorized")
    assert client.get("/livez").status_code == 200
    assert client.get("/v2/health/ready").status_code == 200


def test_key_opens_what_its_scope_says(client: httpx.Client, keys: dict[str, str]) -> None:
    """A good key of the wrong scope is 403, and changes nothing."""
    for headers in (bearer(keys["predict"]), {"X-API-Key": keys["predict"]}):
        assert client.post("/predict", json=TEXT, headers=headers).status_code == 200
        assert client.get("/metrics", headers=headers).status_code == 200
        refused = client.post("/models/en/pin", headers=headers)
        assert problem(refused) == (403, "forbidden")
    assert not client.get("/models/en", headers=headers).json()["model"]["pinned"]

    admin = bearer(keys["admin"])
    assert client.post("/models/en/pin", headers=admin).json()["pinned"]
    assert client.post("/models/en/unpin", headers=admin).status_code == 200
    assert client.post("/predict", json=TEXT, headers=admin).status_code == 200


def test_key_that_asks_too_often_is_429(client: httpx.Client, keys: dict[str, str]) -> None:
    """With the seconds to wait, which a batch makes more; others do not notice."""
    slow = bearer(keys["slow"])
    first = client.post("/predict_batch", json={"items": [TEXT] * 5}, headers=slow)
    again = client.post("/predict", json=TEXT, headers=slow)

    assert first.status_code == 200
    assert problem(again) == (429, "rate_limited")
    assert 40 <= int(again.headers["retry-after"]) <= 50
    assert client.post("/predict", json=TEXT, headers=bearer(keys["predict"])).status_code == 200


def test_keys_come_and_go_without_a_restart(client: httpx.Client, store: Store) -> None:
    """Within a second or two."""
    key = add(store, "guest")

    def until(status: int) -> int:
        deadline = time.monotonic() + 5
        while (said := client.get("/languages", headers=bearer(key)).status_code) != status:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return said

    assert until(200)
    change(store.keys, lambda keys: keys.without("guest"))
    assert until(401)


def test_command_of_the_machine_gets_in(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the token that the service has written."""
    monkeypatch.setenv("BENTOML_HOME", str(store.home))
    listed = CliRunner().invoke(app, ["models", "list", "--json", "--url", url])

    assert listed.exit_code == 0, listed.stderr
    assert json.loads(listed.stdout)["models"][0]["language"] == "en"


@pytest.mark.parametrize(
    "path",
    [
        *("//predict", "/predict/", "/./predict", "/livez/../predict", "/predict/../metrics"),
        *("/%2e%2e/predict", "/livez/%2e%2e/metrics", "/livez%2f..%2fmetrics", "/%6Detrics"),
        *("/predict/..%2fmetrics", "/livez%00", "/livez%20", "/LIVEZ", "/v2/health/live/../../x"),
        *("http://127.0.0.1/metrics", "/livez;/metrics", "/metrics?/livez", "/metrics#/livez"),
    ],
)
def test_no_path_leads_around_the_keys(url: str, path: str, keys: dict[str, str]) -> None:
    """As it is sent, byte for byte, no client tidies it up; with a key it is found or not."""
    assert spoken(url, path) in (401, 400)
    assert spoken(url, path, keys["predict"]) in (200, 307, 400, 404, 405)


def spoken(url: str, path: str, key: str = "") -> int:
    """Return the status of a GET that is written by hand."""
    header = f"X-API-Key: {key}\r\n" if key else ""
    with connection(url) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
        return status(line)


def connection(url: str) -> socket.socket:
    """Return a connection to a server."""
    place = urlsplit(url)
    return socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=30)


def status(line: socket.socket) -> int:
    """Return the status that comes back; 0 where the line is closed without one."""
    head = line.recv(4096).split(b" ", 2)
    return int(head[1]) if len(head) > 1 else 0


@pytest.mark.parametrize("path", ["/predict", "/livez", "/", "/bulk"])
def test_websocket_is_refused(url: str, path: str, keys: dict[str, str]) -> None:
    """No answer is 101, with a key or without; the connection is not switched."""
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    for key in ("", keys["predict"]):
        with connection(url) as line:
            nonce = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            known = f"X-API-Key: {key}\r\n" if key else ""
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{upgrade}{nonce}{known}\r\n".encode())
            assert status(line) == 403


def test_body_of_60_megabytes_is_413(url: str, keys: dict[str, str], other: httpx.Client) -> None:
    """At once where it says so, else as soon as it is too large; without a key it is 401."""

    def pieces() -> Iterator[bytes]:
        for _ in range(60):
            yield MEGABYTE

    post: Callable[..., httpx.Response] = httpx.post
    known = bearer(keys["predict"]) | {"Content-Type": "application/json"}
    said = post(f"{url}/predict", content=MEGABYTE * 60, headers=known, timeout=30)
    unsaid = post(f"{url}/predict", content=pieces(), headers=known, timeout=30)
    unknown = post(f"{url}/predict", content=pieces(), timeout=30)

    assert problem(said) == problem(unsaid) == (413, "body_too_large")
    assert problem(unknown) == (401, "unauthorized")
    assert other.get("/livez").status_code == 200


def test_batch_of_100_000_items_is_413(url: str, keys: dict[str, str], other: httpx.Client) -> None:
    """Without one of them being looked at; three such batches side by side."""
    body = json.dumps({"items": [{"text": "good"}] * 100_000}).encode()
    assert len(body) < 4 * 2**20
    headers = bearer(keys["predict"]) | {"Content-Type": "application/json"}

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            posts = [client.post("/predict_batch", content=body, headers=headers) for _ in range(3)]
            return await asyncio.gather(*posts)

    assert {problem(answer) for answer in asyncio.run(ask())} == {(413, "batch_too_large")}
    assert other.get("/livez").status_code == 200


def test_slow_callers_are_hung_up_on(url: str, keys: dict[str, str], other: httpx.Client) -> None:
    """Heads and bodies that do not come: 408, after the seconds that the setting gives."""
    known = f"X-API-Key: {keys['predict']}\r\nContent-Type: application/json\r\n"
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "
    body = f"POST /predict HTTP/1.1\r\nHost: x\r\n{known}Content-Length: 100\r\n\r\n".encode()
    after = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as stack:
        slow = {
            sent: [stack.enter_context(connection(url)) for _ in range(many)]
            for sent, many in ((b"", 50), (head, 200), (body, 50))
        }
        again = stack.enter_context(connection(url))
        again.sendall(after)
        assert status(again) == 200
        again.sendall(head)
        for sent, lines in slow.items():
            for line in lines:
                line.sendall(sent)
        trickle(slow[head] + slow[body] + [again], UPLOAD_SECONDS + 2)

        assert {status(line) for line in slow[b""]} == {0}
        assert {status(line) for line in slow[head]} == {408}
        assert {status(line) for line in slow[body]} == {408}
        assert status(again) == 408
    assert other.get("/livez").status_code == 200


def trickle(lines: list[socket.socket], seconds: float) -> None:
    """Send a byte now and then to whoever still listens."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for line in lines:
            try:
                line.sendall(b" ")
            except OSError:
                continue
        time.sleep(0.5)


def test_head_without_an_end_is_431(url: str, other: httpx.Client) -> None:
    """It would fill the memory, without a key."""
    with connection(url) as line:
        line.sendall(b"GET /livez HTTP/1.1\r\nX-Long: " + b"x" * (LARGEST_HEAD + SLICE))
        assert status(line) == 431
    assert other.get("/livez").status_code == 200


def test_trailers_without_an_end_are_hung_up_on(
    url: str, keys: dict[str, str], other: httpx.Client
) -> None:
    """In the middle of a request they would not be waited for, nor counted."""
    known = f"X-API-Key: {keys['predict']}\r\nContent-Type: application/json\r\n"
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\n{known}Transfer-Encoding: chunked\r\n\r\n"
    with connection(url) as line:
        line.sendall(f"{head}2\r\n{{}}\r\n0\r\n".encode())
        time.sleep(0.2)
        sent = 0
        with suppress(ConnectionError):
            while sent < 200 * 2**20:
                line.sendall(b"X-More: and more\r\n" * 2**12)
                sent += 18 * 2**12
    assert sent < 50 * 2**20
    assert other.get("/livez").status_code == 200


ELSEWHERE = "10.99.0.1"
NETWORK = f"ip link set lo up && ip addr add {ELSEWHERE}/32 dev lo && exec "
Ask = Callable[..., tuple[int, Any]]


@contextmanager
def alone(store: Store, folder: Path) -> Iterator[tuple[Ask, Child]]:
    """Run a service on all addresses of a network that has nothing but itself; yields a client."""
    child = servers.service(Settings(home=folder, host="0.0.0.0"))  # noqa: S104  (of that network)
    child.environment = {**child.environment, "BENTOML_HOME": str(store.home)}
    child.argv = ["unshare", "--net", "--map-root-user", "sh", "-c", NETWORK + join(child.argv)]
    child.start()

    def ask(address: str, path: str, header: str = "X-None: 1") -> tuple[int, Any]:
        inside = ["nsenter", f"--target={child.pid}", "--user", "--net", "--preserve-credentials"]
        curl = ["curl", "-s", "-w", "\n%{http_code}", "-H", header, f"http://{address}:3000{path}"]
        asked = subprocess.run([*inside, *curl], capture_output=True, text=True, check=False)
        body, _, code = asked.stdout.rpartition("\n")
        return int(code or 0), json.loads(body) if body.startswith("{") else body

    try:
        deadline = time.monotonic() + START_SECONDS
        while ask("127.0.0.1", "/readyz")[0] != 200:
            assert child.exit_code is None, child.last_words(40)
            assert time.monotonic() < deadline, child.last_words(40)
            time.sleep(0.2)
        yield ask, child
    finally:
        child.stop()


def test_beyond_loopback_nobody_is_answered_without_keys(tmp_path: Path) -> None:
    """403 says what to do, and so does the log; on this machine all is as ever.

    In a network of its own: no other server of ours listens beyond loopback, not even in a test.
    """
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "en")
    with alone(store, tmp_path) as (ask, child):
        assert ask("127.0.0.1", "/languages")[0] == 200
        assert ask("127.0.0.1", "/languages", "Host: localhost:3000")[0] == 200
        assert ask("127.0.0.1", "/languages", "Host: evil.example:3000")[0] == 403
        code, said = ask(ELSEWHERE, "/languages")
        assert (code, said["code"]) == (403, "no_keys")
        assert "polysent keys add" in said["detail"]
        for claim in ("X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "Host: localhost"):
            assert ask(ELSEWHERE, "/languages", claim)[0] == 403
        assert ask(ELSEWHERE, "/readyz")[0] == 200
        assert child.log.read_text().count("polysent keys add") == 1

        key = add(store, "shop")
        time.sleep(1.1)
        assert ask(ELSEWHERE, "/languages", f"X-API-Key: {key}")[0] == 200
        assert ask(ELSEWHERE, "/languages")[0] == 401
        assert ask("127.0.0.1", "/languages")[0] == 401
