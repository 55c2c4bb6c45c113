import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.identity import ModelId
from serving.call import CALL, Call
from serving.http.log import RequestLog


async def answer(request: Request) -> Response:
    """Answer with the status of the path, as two models did."""
    call = Call(request_id="one", models={ModelId("de", 3), ModelId("en", 1)})
    request.scope[CALL] = call
    return Response(status_code=int(request.path_params["status"]))


async def broken(_: Request) -> Response:
    """Fail."""
    raise ZeroDivisionError


APP = Starlette(
    routes=[
        Route("/answer/{status}", answer),
        Route("/broken", broken),
        Route("/livez", broken),
    ]
)


async def logged(path: str, form: Any) -> list[bytes]:  # noqa: ANN401  (a Form)
    """Return the lines about one request."""
    lines: list[bytes] = []
    transport = httpx.ASGITransport(RequestLog(APP, form, lines.append), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://log") as client:
        await client.get(path)
    return lines


async def test_a_line_is_json() -> None:
    """One object, one line."""
    (line,) = await logged("/answer/200", "json")

    said = json.loads(line)
    assert line.endswith(b"}\n")
    assert (said["route"], said["status"], said["level"]) == ("/answer/{status}", 200, "info")
    assert said["models"] == ["sentiment-de:3", "sentiment-en:1"]


async def test_a_line_is_text() -> None:
    """The same for people."""
    (line,) = await logged("/answer/200", "text")

    assert b" [INFO] GET /answer/{status} 200 milliseconds=" in line
    assert b" request_id=one models=['sentiment-de:3', 'sentiment-en:1']\n" in line


@pytest.mark.parametrize("path", ["/answer/503", "/broken"])
async def test_our_fault_is_an_error(path: str) -> None:
    """Whether it was answered or not."""
    (line,) = await logged(path, "json")

    said = json.loads(line)
    assert said["level"] == "error"
    assert said["status"] in {500, 503}


async def test_a_path_that_leads_nowhere_is_not_logged() -> None:
    """It may be a text."""
    (line,) = await logged("/my secret?is=this", "json")

    assert (json.loads(line)["route"], json.loads(line)["status"]) == ("", 404)
    assert b"secret" not in line


async def test_probes_are_not_logged() -> None:
    """They come every few seconds."""
    assert await logged("/livez", "text") == []
