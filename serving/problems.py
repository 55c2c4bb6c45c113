"""Our errors, and BentoML's, as RFC 9457 problems."""

import json
import math
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeVar, cast

import bentoml
from starlette.responses import Response

from models.errors import (
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
_KNOWN: dict[HTTPStatus, type[PolysentError]] = {
    HTTPStatus.NOT_FOUND: RouteNotFound,
    HTTPStatus.METHOD_NOT_ALLOWED: MethodNotAllowed,
    HTTPStatus.TOO_MANY_REQUESTS: Overloaded,
    HTTPStatus.SERVICE_UNAVAILABLE: ModelUnavailable,
}


def problem(error: PolysentError, errors: list[dict[str, str]] | None = None) -> Problem:
    """Describe an error to whoever asked."""
    return Problem(
        type=PREFIX + error.code,
        title=error.title,
        status=error.status,
        detail=str(error) or error.title,
        code=error.code,
        retry_after=error.retry_after and math.ceil(error.retry_after),
        errors=errors,
    )


def response(error: PolysentError, errors: list[dict[str, str]] | None = None) -> Response:
    """Return the HTTP answer for an error."""
    said = problem(error, errors)
    return Response(
        said.model_dump_json(),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers={} if said.retry_after is None else {"Retry-After": str(said.retry_after)},
    )


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


def from_bentoml(status: int, body: bytes) -> Response:
    """Say in our words what BentoML, Starlette or FastAPI answered with an error status."""
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return _invalid(body)
    if status in _KNOWN:
        return response(_KNOWN[HTTPStatus(status)]())
    known = status < HTTPStatus.INTERNAL_SERVER_ERROR
    return response(ClientError() if known else PolysentError("the service's log says more"))


def _invalid(body: bytes) -> Response:
    try:
        said = json.loads(body)
        places = said["detail"]
        errors = [{"at": ".".join(map(str, place["loc"])), "why": place["msg"]} for place in places]
    except (ValueError, TypeError, KeyError):
        return response(InvalidRequest("the body does not have the documented shape"))
    if any(place.get("type") == "json_invalid" for place in places):
        return response(MalformedJSON(str(errors[0]["why"])))
    return response(
        InvalidRequest("; ".join(f"{error['at'] or 'body'}: {error['why']}" for error in errors)),
        errors,
    )
