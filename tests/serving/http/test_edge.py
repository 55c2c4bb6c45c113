import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Scope

from models.errors import Overloaded
from serving.call import call_of
from serving.http import problems
from serving.http.edge import Edge
from serving.http.limits import Limits
from serving.http.problems import MEDIA_TYPE


async def echo(request: Request) -> Response:
    """Return the body."""
    return Response(await request.body(), media_type="application/json")


async def slow(request: Request) -> Response:
    """Take longer than anyone waits, and say how it ended."""
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        request.app.state.cancelled = True
        raise
    return Response()


async def bentoml_validation(_: Request) -> Response:
    """Answer as BentoML does for a body of the wrong shape."""
    wrong = {"type": "missing", "loc": ["items", 3, "text"], "msg": "Field required"}
    return JSONResponse({"error": "1 validation error", "detail": [wrong]}, status_code=400)


async def bentoml_failure(_: Request) -> Response:
    """Answer as BentoML does for an exception."""
    return JSONResponse({"error": "An unexpected error has occurred"}, status_code=500)


async def starlette_busy(_: Request) -> Response:
    """Answer in plain text."""
    return PlainTextResponse("Too many requests", status_code=429)


async def busy(_: Request) -> Response:
    """Answer with a problem of ours that knows when to come back."""
    return problems.response(Overloaded(retry_after=6.2))


async def timed(request: Request) -> Response:
    """Say how many seconds are left, and note a stage."""
    call = call_of(request.scope)
    call.took("infer", 0.5)
    return Response(f"{call.left:.1f}")


async def streamed(request: Request) -> Response:
    """Read the body in pieces, each by itself."""
    return Response(b"|".join([piece async for piece in request.stream() if piece]))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of an application behind the edge; bodies of 100 bytes at most."""
    app = Starlette(
        routes=[
            Route("/echo", echo, methods=["POST"]),
            Route("/validation", bentoml_validation, methods=["POST"]),
            Route("/failure", bentoml_failure),
            Route("/busy", starlette_busy),
            Route("/busy/ours", busy),
            Route("/timed", timed),
            Route("/streamed", streamed, methods=["POST"]),
            Route("/slow", slow, methods=["GET", "POST"]),
        ]
    )
    edge = Edge(app, Limits(100, 0.5, 0.3), streams={"/streamed"})
    transport = httpx.ASGITransport(edge)
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
        yield client


async def test_body_goes_through_unchanged(client: httpx.AsyncClient) -> None:
    """The application reads what was sent, also in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"te'
        yield b'xt": 1}'

    answer = await client.post("/echo", content=pieces())

    assert answer.content == b'{"text": 1}'


@pytest.mark.parametrize("size", [101, 10_000])
async def test_body_over_the_limit_is_refused(client: httpx.AsyncClient, size: int) -> None:
    """413, whatever the content is."""
    answer = await client.post("/echo", content=b"x" * size)

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("media_type", "status"),
    [("application/json; charset=utf-8", 200), ("text/plain", 415), ("multipart/form-data", 415)],
)
async def test_body_must_be_declared_json(
    client: httpx.AsyncClient, media_type: str, status: int
) -> None:
    """Nothing but JSON reaches a parser."""
    answer = await client.post("/echo", content=b"{}", headers={"content-type": media_type})

    assert answer.status_code == status


async def test_body_that_does_not_come_is_refused(client: httpx.AsyncClient) -> None:
    """408, long before a request that is there would be too late."""

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    answer = await client.post("/echo", content=trickle())

    assert (answer.status_code, answer.json()["code"]) == (408, "upload_too_slow")


async def test_body_that_says_it_is_too_large_is_not_read(client: httpx.AsyncClient) -> None:
    """Whoever waits for `100 Continue` never sends it."""

    async def nothing() -> AsyncIterator[bytes]:
        pytest.fail("read")
        yield b""

    headers = {"content-length": "60000000"}
    answer = await client.post("/echo", content=nothing(), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_websocket_is_refused() -> None:
    """Nothing behind the edge sees it; a server says 403 to a close before the accept."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def never(*_: object) -> None:
        pytest.fail("called")

    await Edge(never, Limits(100, 60))({"type": "websocket", "path": "/predict"}, receive, send)

    assert sent == [{"type": "websocket.close"}]


async def test_compressed_body_is_refused(client: httpx.AsyncClient) -> None:
    """How large it is would be known too late."""
    answer = await client.post("/echo", content=b"{}", headers={"content-encoding": "gzip"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_stream_reads_its_body_itself(client: httpx.AsyncClient) -> None:
    """In pieces, of any kind and length."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 80
        yield b"y" * 80

    headers = {"content-type": "text/plain"}
    answer = await client.post("/streamed", content=pieces(), headers=headers)

    assert answer.content == b"x" * 80 + b"|" + b"y" * 80


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/validation", 422, "invalid_request"),
        ("GET", "/failure", 500, "internal"),
        ("GET", "/busy", 429, "overloaded"),
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/echo", 405, "method_not_allowed"),
    ],
)
async def test_every_error_leaves_as_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    """Whoever made the error, its shape is RFC 9457's."""
    answer = await client.request(method, path)

    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:polysent:problem:{code}"


async def test_wrong_place_is_named(client: httpx.AsyncClient) -> None:
    """Each place that is wrong, and why."""
    problem = (await client.post("/validation")).json()

    assert problem["errors"] == [{"at": "items.3.text", "why": "Field required"}]


async def test_batch_that_is_too_long_is_413() -> None:
    """Its length is what is wrong, not its shape; another list of the body is another matter."""
    wrong = {"type": "too_long", "loc": ["items"], "msg": "at most 2 items"}
    other = wrong | {"loc": ["inputs", 0, "shape"]}

    for place, status in ((wrong, 413), (other, 422)):
        body = json.dumps({"detail": [place]}).encode()
        assert problems.of_answer(400, "application/json", body, "x").status_code == status


async def test_busy_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    """429 and 503 carry Retry-After, 405 the methods allowed."""
    assert int((await client.get("/busy")).headers["retry-after"]) > 0
    assert (await client.get("/echo")).headers["allow"] == "POST"


async def test_computed_time_to_come_back_is_kept(client: httpx.AsyncClient) -> None:
    """In whole seconds, rounded up, in header and body."""
    answer = await client.get("/busy/ours")

    assert (answer.headers["retry-after"], answer.json()["retry_after"]) == ("7", 7)


@pytest.mark.parametrize("path", ["/timed", "/busy", "/busy/ours", "/nothing", "/slow"])
async def test_every_answer_says_which_request_and_how_long(
    client: httpx.AsyncClient, path: str
) -> None:
    """Refusals too; a problem names the request as its instance."""
    answer = await client.get(path, headers={"X-Request-Id": "a/1"})

    assert answer.headers["x-request-id"] == "a/1"
    assert "total;dur=" in answer.headers["server-timing"]
    if answer.is_error:
        assert answer.json()["instance"] == "urn:polysent:request:a%2F1"


async def test_stages_of_a_request_are_told(client: httpx.AsyncClient) -> None:
    """In milliseconds."""
    answer = await client.get("/timed")

    assert answer.headers["server-timing"].startswith("infer;dur=500.00, total;dur=")


async def test_trace_goes_on(client: httpx.AsyncClient) -> None:
    """The answer names a span of ours in the caller's trace; without one there is none."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    traced = await client.get("/timed", headers={"traceparent": trace})
    untraced = await client.get("/timed")

    assert traced.headers["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert traced.headers["traceparent"] != trace
    assert "traceparent" not in untraced.headers


async def test_caller_decides_how_long_to_wait(client: httpx.AsyncClient) -> None:
    """The path knows the deadline; a preference that is honoured is named."""
    asked = await client.get("/timed", headers={"Prefer": "wait=0.2"})
    late = await client.get("/slow", headers={"X-Request-Timeout": "0.05"})

    assert (asked.text, asked.headers["preference-applied"]) == ("0.2", "wait=0.2")
    assert (late.status_code, late.json()["detail"]) == (504, "no answer within 0.05 s")


async def test_wrong_header_is_a_problem(client: httpx.AsyncClient) -> None:
    """400, before anything is done."""
    answer = await client.get("/timed", headers={"X-Request-Timeout": "soon"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_header")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_request_beyond_its_deadline_is_told(client: httpx.AsyncClient, method: str) -> None:
    """504, and what was done for it is cancelled."""
    answer = await client.request(method, "/slow")

    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")


async def test_work_for_a_client_who_left_is_cancelled() -> None:
    """BentoML would compute it to the end."""
    app = Starlette(routes=[Route("/slow", slow, methods=["POST"])])
    messages: list[Message] = [
        {"type": "http.request", "body": b"{}", "more_body": False},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0)
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/slow", "headers": []}
    await asyncio.wait_for(Edge(app, Limits(100, 60))(scope, receive, send), 5)

    assert app.state.cancelled
    assert [message.get("status") for message in sent] == [499, None]


async def test_client_who_leaves_while_sending_costs_nothing() -> None:
    """The application is not called at all."""
    messages: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def never(*_: object) -> None:
        pytest.fail("called")

    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    await Edge(never, Limits(100, 60))(scope, receive, send)

    assert sent[0]["status"] == 499
