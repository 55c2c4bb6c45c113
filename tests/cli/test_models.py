import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import client, servers
from cli.client import Client
from cli.main import app
from models.settings import Settings

RUN = CliRunner()
ROW: dict[str, Any] = {
    "language": "de",
    "model": {"name": "sentiment-de", "version": 3},
    "state": "resident",
    "tag": "sentiment-de:v000003-00000000",
    "covers": [],
    "bytes": 281 * 2**20,
    "load_seconds": 0.1,
    "last_used": "2026-01-01T00:00:00Z",
    "hits": 1234,
    "loads": 1,
    "evictions": 0,
    "waiting": 0,
    "pinned": True,
}
COLD = ROW | {"language": "en", "state": "cold", "bytes": 0, "last_used": None, "pinned": False}
MEMORY = {"limit": 6 * 2**30, "used": 281 * 2**20, "pinned": 0}
WHY = {"why": ["It is [pinned]."], "request": ["It takes 3 ms."]}
PROBLEM = "application/problem+json"


@dataclass
class Service:
    """A web server with the answers of a service, that remembers what it was asked."""

    answers: dict[str, tuple[int, str, object]] = field(
        default_factory=lambda: {
            "GET /models": (200, "application/json", {"models": [ROW, COLD], "memory": MEMORY}),
            "GET /models/de": (200, "application/json", {"model": ROW, **WHY}),
            "POST /models/de/pin": (200, "application/json", ROW),
            "POST /models/de/unpin": (200, "application/json", ROW | {"pinned": False}),
            "POST /models/de/evict": (200, "application/json", COLD),
        }
    )
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        asked = f"{request.command} {request.path}"
        self.asked.append((asked, request.headers["Authorization"]))
        status, media_type, said = self.answers[asked]
        body = json.dumps(said).encode()
        request.send_response(status)
        request.send_header("Content-Type", media_type)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def service() -> Iterator[Service]:
    """Return a running one."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.answer(self)

        def do_POST(self) -> None:
            service.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield service
        server.shutdown()
        thread.join()


@pytest.fixture
def polysent(service: Service) -> Callable[..., Result]:
    """Return the command, which asks that service."""
    return lambda *words: RUN.invoke(app, ["models", *words, "--url", service.url])


@pytest.fixture(autouse=True)
def kept_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a service of this machine has written its token."""
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    (tmp_path / "polysent").mkdir()
    (tmp_path / "polysent" / "admin.token").write_text("kept")
    return tmp_path / "polysent" / "admin.token"


def test_list_is_a_table_for_people(polysent: Callable[..., Result]) -> None:
    """Bytes and times in their units, within 80 columns."""
    listed = polysent("list")

    lines = [" ".join(line.split()) for line in listed.stdout.splitlines()]
    assert listed.exit_code == 0
    assert "language model state memory last use hits pinned" in lines
    assert any(line.startswith("de sentiment-de:3 resident 281 MiB") for line in lines)
    assert any(line.endswith("days ago 1,234 yes") for line in lines)
    assert "en sentiment-de:3 cold - never 1,234" in lines
    assert "281 MiB of 6.0 GiB in use, 0 B pinned" in lines


def test_explain_is_sentences(polysent: Callable[..., Result]) -> None:
    """As the service has them, brackets included."""
    explained = polysent("explain", "de")

    assert explained.exit_code == 0
    assert "sentiment-de:3 is resident" in explained.stdout
    assert "- It is [pinned]." in explained.stdout
    assert "- It takes 3 ms." in explained.stdout


@pytest.mark.parametrize(
    "words", [["list"], ["explain", "de"], ["pin", "de"], ["unpin", "de"], ["evict", "de"]]
)
def test_json_is_what_the_service_says(
    polysent: Callable[..., Result], service: Service, words: list[str]
) -> None:
    """One document on stdout."""
    said = polysent(*words, "--json")

    assert said.exit_code == 0
    assert json.loads(said.stdout) == service.answers[service.asked[-1][0]][2]


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("pin", "sentiment-de:3: resident with 281 MiB, pinned"),
        ("unpin", "sentiment-de:3: resident with 281 MiB, not pinned"),
        ("evict", "sentiment-de:3: cold, not pinned"),
    ],
)
def test_change_says_what_is_so_then(
    polysent: Callable[..., Result], service: Service, verb: str, said: str
) -> None:
    """With the token that the service of this machine has written."""
    assert polysent(verb, "de").stdout.strip() == said
    assert service.asked == [(f"POST /models/de/{verb}", "Bearer kept")]


def test_token_that_is_given_comes_first(
    polysent: Callable[..., Result], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option, then the variable, then the file."""
    monkeypatch.setenv("POLYSENT_ADMIN_TOKEN", "variable")
    polysent("pin", "de", "--token", "option")
    polysent("pin", "de")
    assert [token for _, token in service.asked] == ["Bearer option", "Bearer variable"]


def test_token_of_this_machine_goes_to_no_other() -> None:
    """What it was given goes where it is told to."""
    assert Client.of(Settings(), "http://example.org:3000").token == ""
    assert Client.of(Settings(), "http://localhost:3000/") == Client(
        "http://localhost:3000", "kept", 65.0
    )
    assert Client.of(Settings(host="10.0.0.5")).url == servers.service_url(
        Settings(host="10.0.0.5")
    )


def test_service_is_asked_at_its_admin_port(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it has one: it is this machine's, and so is the token."""
    monkeypatch.setenv("POLYSENT_ADMIN_PORT", service.url.rpartition(":")[2])

    assert RUN.invoke(app, ["models", "pin", "de"]).exit_code == 0
    assert service.asked == [("POST /models/de/pin", "Bearer kept")]


def test_admin_port_is_named_where_it_was_not_asked(
    polysent: Callable[..., Result], service: Service
) -> None:
    """The public port has no such path; exit code 1."""
    refused = {"title": "There is nothing at this path", "detail": ""}
    service.answers["POST /models/de/pin"] = (404, PROBLEM, refused)
    answer = polysent("pin", "de")

    assert answer.exit_code == 1
    assert "POLYSENT_ADMIN_PORT" in answer.stderr


@pytest.mark.parametrize(("kept", "said"), [("x", "it was wrong"), ("", "none was found")])
def test_wrong_token_is_said(
    polysent: Callable[..., Result], service: Service, kept_token: Path, kept: str, said: str
) -> None:
    """With where to find the right one; exit code 1."""
    kept_token.write_text(kept)
    refused = {"title": "The key is missing or wrong", "detail": ""}
    service.answers["POST /models/de/pin"] = (401, PROBLEM, refused)
    answer = polysent("pin", "de")

    assert answer.exit_code == 1
    assert said in answer.stderr
    assert "POLYSENT_ADMIN_TOKEN" in answer.stderr


def test_what_the_service_refuses_is_said_in_its_words(
    polysent: Callable[..., Result], service: Service
) -> None:
    """Title and detail of the problem; exit code 1."""
    refused = {"title": "The model is pinned", "detail": "[de] is pinned; unpin it first"}
    service.answers["POST /models/de/evict"] = (409, PROBLEM, refused)
    answer = polysent("evict", "de")

    assert answer.exit_code == 1
    assert answer.stderr.strip() == "The model is pinned: [de] is pinned; unpin it first"


@pytest.mark.parametrize("answer", [(200, "text/html", "x"), (404, "application/json", {})])
def test_other_server_is_not_taken_for_the_service(
    polysent: Callable[..., Result], service: Service, answer: tuple[int, str, object]
) -> None:
    """MLflow at this port, for one; exit code 1."""
    service.answers["GET /models"] = answer
    listed = polysent("list")

    assert listed.exit_code == 1
    assert "is no Polysent service" in listed.stderr


@pytest.mark.parametrize("words", [["list"], ["explain", "de"], ["pin", "de"]])
def test_service_that_is_down_is_said(words: list[str]) -> None:
    """No traceback; exit code 1."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    answer = RUN.invoke(app, ["models", *words, "--url", url])

    assert answer.exit_code == 1
    assert f"No service answers at {url}" in " ".join(answer.stderr.split())


def test_service_that_is_stuck_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command does not wait for ever."""
    monkeypatch.setattr(client, "GRACE_SECONDS", 0.1)
    monkeypatch.setenv("POLYSENT_REQUEST_SECONDS", "0.1")
    with socket.socket() as stuck:
        stuck.bind(("127.0.0.1", 0))
        stuck.listen()
        url = f"http://127.0.0.1:{stuck.getsockname()[1]}"
        answer = RUN.invoke(app, ["models", "list", "--url", url])

    assert answer.exit_code == 1
    assert "does not answer" in answer.stderr


def test_language_is_one_segment_of_the_path(
    polysent: Callable[..., Result], service: Service
) -> None:
    """Whatever is typed."""
    service.answers["GET /models/..%2Fde%3F"] = (200, "application/json", {"model": ROW, **WHY})
    assert polysent("explain", "../de?").exit_code == 0
