import time
from typing import Any

import pytest
from starlette.types import Message

from models.errors import EngineFailed
from serving.call import CALL, Call
from serving.http.answer import Answer

HEAD: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-length", b"2")],
}
BODY: Message = {"type": "http.response.body", "body": b"{}"}


@pytest.fixture
def sent() -> list[Message]:
    """Return what has left."""
    return []


@pytest.fixture
def answer(sent: list[Message]) -> Answer:
    """Return an answer to a request."""
    scope: dict[str, Any] = {"type": "http", CALL: Call(time.monotonic() + 60)}

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    return Answer(scope, receive, send)


async def test_headers_leave_with_their_body(answer: Answer, sent: list[Message]) -> None:
    """Between them a balancer could not ask another service any more."""
    await answer(HEAD)
    before = len(sent)
    await answer(BODY)

    assert before == 0
    assert [message["type"] for message in sent] == [HEAD["type"], BODY["type"]]


async def test_headers_of_a_stream_do_not_wait(answer: Answer, sent: list[Message]) -> None:
    """Who sends it line by line may want to know that it is taken."""
    await answer({**HEAD, "headers": []})
    assert [message["type"] for message in sent] == [HEAD["type"]]


async def test_what_breaks_before_its_body_is_a_problem(
    answer: Answer, sent: list[Message]
) -> None:
    """Nothing has left yet."""
    await answer(HEAD)
    await answer.refuse(EngineFailed("broken"))

    assert [message.get("status") for message in sent] == [500, None]


async def test_client_who_leaves_before_the_body_gets_no_headers(
    answer: Answer, sent: list[Message]
) -> None:
    """BentoML has its first message."""
    await answer(HEAD)
    await answer.abandon()

    assert [message.get("status") for message in sent] == [499, None]
