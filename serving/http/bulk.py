"""`POST /bulk`: as many texts as one likes, one a line."""

from fastapi import APIRouter, Request, Response

from models.settings import Settings
from serving.admission import given
from serving.http import stream
from serving.http.asked import Here
from serving.http.clerk import Clerk
from serving.http.headers import must_be, patience
from serving.http.stream import Limits, Stream

PATH = "/bulk"
MEDIA_TYPES = (stream.MEDIA_TYPE, "application/jsonl", "application/json-lines")
WINDOW = 256
"""Lines in flight; what a slot of the engine needs to be busy, and little beside the models."""

ESCAPED_CHAR = 12
r"""Most bytes of one character in JSON: `\ud83d\ude00`."""

BESIDE_TEXT = 4096
"""Bytes of a line beside its text: names, id, language."""

routes = APIRouter()


def limits(settings: Settings) -> Limits:
    """Return what one stream may take."""
    return Limits(
        window=min(WINDOW, settings.queue_limit),
        longest_line=ESCAPED_CHAR * settings.max_text_chars + BESIDE_TEXT,
        idle_seconds=settings.request_seconds,
    )


@routes.post(PATH, response_class=Response)
async def bulk(request: Request, here: Here) -> Response:
    """Judge texts line by line, in their order; the answers stream back while texts stream in."""
    must_be(request.headers, *MEDIA_TYPES)
    given(here.header)
    clerk = Clerk(
        answer=lambda item, call: here.runtime.path.answer(item, call, here.header),
        seconds=patience(request.headers, here.settings.request_seconds).seconds,
        request=here.call,
    )
    return Stream(clerk, limits(here.settings))
