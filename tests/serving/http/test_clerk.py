import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from models.errors import LanguageUnsupported, Overloaded
from models.identity import ModelId, Tag
from serving.bucket import Bucket
from serving.call import Call, Urgency
from serving.caller import Caller
from serving.detect import Language
from serving.http.clerk import Clerk
from serving.http.lines import Line
from serving.result import Item, Prediction

TAG = Tag(ModelId("en", 3), "0" * 8)


async def fine(item: Item, call: Call) -> Prediction:
    """Answer at once, as the path does."""
    assert call.urgency is Urgency.BULK
    assert 0 < call.left <= 60
    assert call.key == "user-7"
    language = Language(item.language or "en", "given", 1.0)
    return Prediction.of({"negative": 0.25, "positive": 0.75}, language, TAG)


async def answered(
    content: bytes | None,
    answer: Callable[[Item, Call], Awaitable[Prediction]] = fine,
    seconds: float = 60,
) -> dict[str, Any]:
    """Return the answer to line 7."""
    line = await Clerk(answer, seconds, Call(request_id="request-1", key="user-7"))(
        Line(7, content)
    )
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    said: dict[str, Any] = json.loads(line)
    return said


async def test_line_waits_for_the_rate_of_its_key() -> None:
    """As for a full queue; what is waited so is not of its own time."""
    caller = Caller("shop", bucket=Bucket(rate=10))
    clerk = Clerk(fine, 0.05, Call(request_id="request-1", key="user-7", caller=caller))
    began = time.monotonic()
    lines = await asyncio.gather(*(clerk(Line(7, b'{"text": "good"}')) for _ in range(12)))

    assert time.monotonic() - began >= 0.15
    assert {json.loads(line)["label"] for line in lines} == {"positive"}


async def test_answer_is_that_of_a_batch_item() -> None:
    """The id comes back, and only if there was one."""
    assert await answered(b'{"id": "a", "text": "good", "language": "en"}') == {
        "id": "a",
        "label": "positive",
        "score": 0.75,
        "scores": {"negative": 0.25, "positive": 0.75},
        "language": {"tag": "en", "source": "given", "confidence": 1.0},
        "model": {"name": "sentiment-en", "version": 3},
    }
    assert "id" not in await answered(b'{"text": "good"}')


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"text": ', "malformed_json"),
        (b"\xff", "malformed_json"),
        (b"[1]", "invalid_request"),
        (b'{"text": 5}', "invalid_request"),
        (b'{"text": "x", "lang": "en"}', "invalid_request"),
        (b'{"text": "x", "id": true}', "invalid_request"),
        (None, "body_too_large"),
    ],
)
async def test_bad_line_is_answered_by_its_problem_and_number(
    content: bytes | None, code: str
) -> None:
    """Whatever is in a line, its answer is a line."""
    said = await answered(content)

    assert (said["code"], said["line"]) == (code, 7)


async def test_problem_has_the_id_of_its_line() -> None:
    """Where the line could be read."""

    async def refuse(_: Item, __: Call) -> Prediction:
        raise LanguageUnsupported

    said = await answered(b'{"id": 4, "text": "x"}', refuse)

    assert (said["id"], said["line"], said["code"]) == (4, 7, "language_unsupported")


async def test_full_queue_is_waited_for() -> None:
    """As long as it says; the caller is not told."""
    refusals = [Overloaded(retry_after=0.01), Overloaded(retry_after=0.01)]

    async def busy(item: Item, call: Call) -> Prediction:
        if refusals:
            raise refusals.pop()
        return await fine(item, call)

    assert (await answered(b'{"text": "x"}', busy))["label"] == "positive"


@pytest.mark.parametrize("retry_after", [0.01, 100])
async def test_line_has_no_more_than_its_own_time(retry_after: float) -> None:
    """A queue that stays full is not waited for forever."""

    async def full(_: Item, __: Call) -> Prediction:
        raise Overloaded(retry_after=retry_after)

    said = await answered(b'{"text": "x"}', full, seconds=0.05)

    assert (said["code"], said["line"]) == ("deadline_exceeded", 7)


async def test_slow_line_is_cancelled_in_time() -> None:
    """What nobody waits for is not computed."""
    cancelled = asyncio.Event()

    async def slow(_: Item, __: Call) -> Prediction:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()
        raise AssertionError

    said = await answered(b'{"text": "x"}', slow, seconds=0.02)

    assert said["code"] == "deadline_exceeded"
    assert cancelled.is_set()


async def test_fault_of_ours_costs_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with the request's id, and nothing of it is told."""

    async def broken(_: Item, __: Call) -> Prediction:
        message = "secret"
        raise RuntimeError(message)

    said = await answered(b'{"text": "x"}', broken)

    assert said["code"] == "internal"
    assert "secret" not in json.dumps(said)
    assert "request-1" in caplog.text
