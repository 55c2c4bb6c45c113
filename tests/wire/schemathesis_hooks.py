"""What schemathesis must know beside the document; its own process reads it."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson", "application/jsonl", "application/json-lines")
def lines(_: schemathesis.SerializationContext, value: Any) -> bytes:  # noqa: ANN401  (JSON)
    """Send an array as lines, and what is none as the only line."""
    return "\n".join(map(json.dumps, value if isinstance(value, list) else [value])).encode()


@schemathesis.deserializer("application/x-ndjson")
def array(_: schemathesis.DeserializationContext, response: schemathesis.Response) -> list[Any]:
    """Read lines as an array."""
    return [json.loads(line) for line in response.content.splitlines()]


@schemathesis.check
def late_only_where_hurried(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: "schemathesis.Case[Any]"
) -> None:
    """504 is an answer to those alone who give the service less than a second."""
    if response.status_code == 504:
        assert float(case.headers["X-Request-Timeout"]) < 1
