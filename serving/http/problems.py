"""Our errors, and BentoML's, as RFC 9457 problems."""

import json
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import quote

import bentoml
from pydantic import ValidationError
from starlette.responses import Response

from models.errors import (
    BatchTooLarge,
    ClientError,
    InvalidRequest,
    MalformedJSON,
    MethodNotAllowed,
    ModelUnavailable,
    Overloaded,
    PolysentError,
    RouteNotFound,
)
from serving.result import Problem

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:polysent:problem:"
REQUEST = "urn:polysent:request:"
_KNOWN: dict[HTTPStatus, type[PolysentError]] = {
    HTTPStatus.NOT_FOUND: RouteNotFound,
    HTTPStatus.METHOD_NOT_ALLOWED: MethodNotAllowed,
    HTTPStatus.TOO_MANY_REQUESTS: Overloaded,
    HTTPStatus.SERVICE_UNAVAILABLE: ModelUnavailable,
}

BATCHES = {"items", "instances", "data"}
"""What lists of texts are called in bodies; where a text may stand in their place, `list[...]`."""
MOST = 100
"""Faults that one problem names."""


class Misshapen(InvalidRequest):
    """The JSON does not have the documented shape in these places."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """Keep each place that is wrong, and why."""
        self.errors = errors
        super().__init__("; ".join(f"{error['at'] or 'body'}: {error['why']}" for error in errors))


def problem(error: PolysentError) -> Problem:
    """Describe an error to whoever asked."""
    return Problem(
        type=PREFIX + error.code,
        title=error.title,
        status=error.status,
        detail=str(error) or error.title,
        code=error.code,
        retry_after=error.retry_after and math.ceil(error.retry_after),
        errors=error.errors if isinstance(error, Misshapen) else None,
    )


def response(error: PolysentError) -> Response:
    """Return the HTTP answer for an error."""
    return _answer(problem(error))


def answers_problems(
    method: Callable[Concatenate[S, P], Awaitable[R]],
) -> Callable[Concatenate[S, P], Awaitable[R]]:
    """Let a BentoML API answer our errors as problems; BentoML would reshape them."""

    @wraps(method)
    async def answering(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await method(self, *args, **kwargs)
        except PolysentError as error:
            context = cast("bentoml.Context", kwargs["ctx"])
            context.response.status_code = error.status
            return cast("R", response(error))

    return answering


def of_answer(status: int, media_type: str, body: bytes, request_id: str) -> Response:
    """Say in our words what anybody answered with an error status, and to which request."""
    if media_type == MEDIA_TYPE:
        said = Problem.model_validate_json(body)
    else:
        said = problem(_of_bentoml(status, body))
    return _answer(said.model_copy(update={"instance": REQUEST + quote(request_id, safe="")}))


def misshapen(error: ValidationError) -> PolysentError:
    """Say what pydantic found wrong with a body."""
    return _of_places(error.errors(include_url=False, include_context=False, include_input=False))


def _answer(said: Problem) -> Response:
    headers = {} if said.retry_after is None else {"Retry-After": str(said.retry_after)}
    if said.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        said.model_dump_json(), status_code=said.status, media_type=MEDIA_TYPE, headers=headers
    )


def _of_bentoml(status: int, body: bytes) -> PolysentError:
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        try:
            return _of_places(json.loads(body)["detail"])
        except (ValueError, TypeError, KeyError):
            return InvalidRequest("the body does not have the documented shape")
    if status in _KNOWN:
        return _KNOWN[HTTPStatus(status)]()
    known = status < HTTPStatus.INTERNAL_SERVER_ERROR
    return ClientError() if known else PolysentError("the service's log says more")


def _is_batch(place: Any) -> bool:  # noqa: ANN401  (whatever pydantic says)
    last = str(place["loc"][-1]) if place["loc"] else ""
    return place.get("type") == "too_long" and (last in BATCHES or last.startswith("list["))


def _of_places(places: Sequence[Any]) -> PolysentError:
    errors = [
        {"at": ".".join(map(str, place["loc"])), "why": place["msg"]} for place in places[:MOST]
    ]
    if any(place.get("type") == "json_invalid" for place in places):
        return MalformedJSON(str(errors[0]["why"]))
    for place in places:
        if _is_batch(place):
            return BatchTooLarge(str(place["msg"]))
    return Misshapen(errors)
