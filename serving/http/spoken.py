"""The parameters and headers of every operation, as OpenAPI has them."""

from typing import Any

Json = dict[str, Any]
SCHEMES: Json = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "An API key (docs/access.md)."},
    "Key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same."},
}
ADMIN: list[dict[str, list[str]]] = [{"Bearer": []}, {"Key": []}]
"""A key of scope `admin`."""
ANY: list[dict[str, list[str]]] = [*ADMIN, {}]
"""Any key; none where the service has no keys."""
SECONDS = {"type": "number", "exclusiveMinimum": 0, "examples": [10]}
TEXT = {"type": "string"}


def _header(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema}


LANGUAGE: Json = {
    "name": "language",
    "in": "path",
    "required": True,
    "description": "BCP-47 tag of the text's language.",
    "schema": TEXT | {"examples": ["de"]},
}
ROUTED = _header(
    "X-Language",
    "The language once more, where a load balancer can see it; must agree.",
    TEXT | {"examples": ["de"]},
)
KEY = _header(
    "X-Request-Key",
    "Who or what asks, such as a user's id: where a challenger answers a share of the requests, "
    "the same key gets the same version. The text decides where there is none.",
    TEXT | {"examples": ["user-7"]},
)
REQUEST = [
    _header(
        "Prefer",
        "`wait=N`: seconds that the caller waits (RFC 7240).",
        TEXT | {"examples": ["wait=2"]},
    ),
    _header("X-Request-Timeout", "Seconds that the caller waits.", SECONDS),
    _header("X-Request-Id", "Comes back; made where it is none.", TEXT),
    _header("traceparent", "The caller's span (W3C Trace Context).", TEXT),
]
ANSWER: Json = {
    "X-Request-Id": {"description": "What caller and log call the request.", "schema": TEXT},
    "Server-Timing": {
        "description": "Milliseconds by stage: detect, queue, load, infer, and in total.",
        "schema": TEXT,
    },
    "Preference-Applied": {
        "description": "The preference that decided how long the answer might take.",
        "schema": TEXT,
    },
    "traceparent": {"description": "The span of this request.", "schema": TEXT},
}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which the same request may succeed.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}
_WWW_AUTHENTICATE = {
    "WWW-Authenticate": {
        "description": "How to say who asks.",
        "required": True,
        "schema": {"type": "string", "enum": ["Bearer"]},
    }
}
REFUSAL: dict[int, Json] = {401: _WWW_AUTHENTICATE, 429: _RETRY_AFTER, 503: _RETRY_AFTER}
