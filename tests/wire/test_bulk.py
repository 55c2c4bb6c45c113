import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import serving

pytestmark = pytest.mark.wire

NDJSON = {"content-type": "application/x-ndjson"}
HEAD = (
    b"POST /bulk HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def read(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the lines of an answer."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def lines(*numbers: int) -> bytes:
    """Return lines to send, each another."""
    return b"".join(b'{"id": %d, "text": "good %d", "language": "en"}\n' % (n, n) for n in numbers)


def chunk(body: bytes) -> bytes:
    """Frame a piece of a body."""
    return b"%x\r\n%s\r\n" % (len(body), body)


@contextlib.contextmanager
def connected(service: httpx.Client) -> Iterator[socket.socket]:
    """Open a connection and begin a stream."""
    with socket.create_connection((service.base_url.host, service.base_url.port or 80)) as raw:
        raw.settimeout(20)
        raw.sendall(HEAD)
        yield raw


def read_until(raw: socket.socket, end: bytes) -> bytes:
    """Read to an end that must come."""
    got = b""
    while end not in got:
        piece = raw.recv(65536)
        assert piece, got[-500:]
        got += piece
    return got


def test_lines_are_answered_in_order_with_a_problem_for_each_bad_one(
    tiny_service: httpx.Client,
) -> None:
    """Blank lines are skipped; a problem says the number of its line."""
    body = (
        b'{"id": "a", "text": "gut", "language": "de"}\r\n\n'
        b'{"text": " "}\nno json\n{"id": 5, "text": "bad", "language": "en"}'
    )

    answers = read(tiny_service.post("/bulk", content=body, headers=NDJSON))

    assert [answer.get("label", answer.get("code")) for answer in answers] == [
        *("positive", "empty_text", "malformed_json", "negative")
    ]
    assert [answer.get("line") for answer in answers] == [None, 3, 4, None]
    assert [answer.get("id") for answer in answers] == ["a", None, None, 5]


def test_header_names_the_language_of_all_lines(tiny_service: httpx.Client) -> None:
    """A line that names another is a conflict; a header that is none refuses the stream."""
    body = b'{"text": "gut"}\n{"text": "good", "language": "en"}\n'

    answers = read(tiny_service.post("/bulk", content=body, headers=NDJSON | {"X-Language": "de"}))
    refused = tiny_service.post("/bulk", content=body, headers=NDJSON | {"X-Language": "?"})

    assert answers[0]["model"]["name"] == "sentiment-de"
    assert (answers[1]["code"], answers[1]["line"]) == ("language_conflict", 2)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed_language")


@pytest.mark.parametrize(
    "media_type", ["application/x-ndjson", "application/jsonl", "application/json-lines; a=b"]
)
def test_lines_go_by_three_names(tiny_service: httpx.Client, media_type: str) -> None:
    """None of them is registered."""
    headers = {"content-type": media_type}

    assert len(read(tiny_service.post("/bulk", content=lines(1), headers=headers))) == 1


@pytest.mark.parametrize(
    "headers", [{"content-type": "application/json"}, NDJSON | {"content-encoding": "gzip"}]
)
def test_body_of_another_kind_is_refused(
    tiny_service: httpx.Client, headers: dict[str, str]
) -> None:
    """Compressed ones too."""
    refused = tiny_service.post("/bulk", content=lines(1), headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")


def test_line_that_is_too_long_costs_the_others_nothing(tiny_service: httpx.Client) -> None:
    """Nor does a text that is."""
    body = lines(1) + b"x" * 2_000_000 + b"\n" + lines(3)
    body += json.dumps({"text": "x" * 20_001}).encode()

    answers = read(tiny_service.post("/bulk", content=body, headers=NDJSON))

    assert [answer.get("code") for answer in answers] == [
        *(None, "body_too_large", None, "text_too_long")
    ]


def test_answers_come_while_lines_are_sent(tiny_service: httpx.Client) -> None:
    """A client may wait for each answer."""
    with connected(tiny_service) as raw:
        for number in range(3):
            raw.sendall(chunk(lines(number)))
            assert b'"id":%d' % number in read_until(raw, b"}\n\r\n")
        raw.sendall(b"0\r\n\r\n")
        assert read_until(raw, b"0\r\n\r\n").endswith(b"0\r\n\r\n")


def test_body_may_be_larger_than_any_other(tiny_service: httpx.Client) -> None:
    """The limit of a body is none of a stream; reader and writer go side by side."""
    count = 60_000
    with connected(tiny_service) as raw:

        def write() -> None:
            for start in range(0, count, 500):
                raw.sendall(chunk(lines(*range(start, start + 500))))
            raw.sendall(b"0\r\n\r\n")

        writer = threading.Thread(target=write)
        writer.start()
        got = read_until(raw, b"\r\n0\r\n\r\n")
        writer.join()

    assert got.count(b'"label"') == count


def test_client_that_only_writes_is_slowed_and_then_answered(tiny_service: httpx.Client) -> None:
    """Sending blocks; what was sent is answered once the client reads."""
    sent = 0
    with connected(tiny_service) as raw:
        raw.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while sent < 1_000_000:
                raw.sendall(chunk(lines(*range(sent, sent + 500))))
                sent += 500
        raw.settimeout(20)
        assert b'"id":0,' in read_until(raw, b'"id":1000,')

    assert 1000 < sent < 1_000_000


def test_stream_whose_client_has_left_is_not_worked_for(tiny_service: httpx.Client) -> None:
    """Little more is answered than had been read; what waits in buffers is not."""
    before = answered(tiny_service)
    sent = 0
    with connected(tiny_service) as raw:

        def write() -> None:
            nonlocal sent
            with contextlib.suppress(OSError):
                for start in range(10_000_000, 20_000_000, 500):
                    raw.sendall(chunk(lines(*range(start, start + 500))))
                    sent += 500

        writer = threading.Thread(target=write)
        writer.start()
        read_until(raw, b"label")
        raw.shutdown(socket.SHUT_RDWR)
        writer.join()

    deadline = time.monotonic() + 10
    seen = -1.0
    while seen != (seen := answered(tiny_service)):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert seen - before < sent / 4


def answered(service: httpx.Client) -> float:
    """Return how many texts were answered so far."""
    samples = re.findall(
        r'^polysent_answers_total\{.*outcome="ok".*\} (\S+)$',
        service.get("/metrics").text,
        re.MULTILINE,
    )
    return sum(map(float, samples))


def test_stream_outlives_every_timeout_but_idleness(tmp_path: Path) -> None:
    """Neither the time of a request nor BentoML's own ends it; a client who is silent is left."""
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "en")

    with (
        serving(store, tmp_path, POLYSENT_REQUEST_SECONDS="1") as (url, _),
        httpx.Client(base_url=url) as client,
        connected(client) as raw,
    ):
        for number in range(10):
            raw.sendall(chunk(lines(number)))
            assert b'"id":%d' % number in read_until(raw, b"}\n\r\n")
            time.sleep(0.4)
        last = read_until(raw, b"0\r\n\r\n")

    assert b'"code":"deadline_exceeded"' in last
    assert b'"line":11' in last
