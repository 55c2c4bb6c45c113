"""What does the log cost a request?

`python -m benchmarks.logs`: the layers alone, around an application that does nothing, in turns.
"""

import asyncio
import logging
import os
import time
from functools import partial
from pathlib import Path
from statistics import median

from bentoml._internal.log import DATE_FORMAT, TRACED_LOG_FORMAT, TraceRecordFilter
from bentoml._internal.server.http.access import AccessLogMiddleware
from rich.table import Table
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cli.console import out
from models.identity import ModelId
from serving.call import CALL, Call
from serving.http.log import RequestLog

REQUESTS = 5000
ROUNDS = 9
CALLED = Call(request_id="0" * 32, models={ModelId("de", 3)})
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/predict",
    "scheme": "http",
    "client": ("127.0.0.1", 40000),
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"30")],
    "endpoint": None,
    CALL: CALLED,
}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Message = {"type": "http.response.body", "body": b"{}"}


async def answer(_: Scope, __: Receive, send: Send) -> None:
    """Answer at once."""
    await send(START)
    await send(BODY)


async def receive() -> Message:
    """Never be called."""
    return {}


async def send(_: Message) -> None:
    """Take an answer."""


def bentoml_log(handler: logging.Handler) -> ASGIApp:
    """Return BentoML's layer as its server sets it up."""
    handler.setFormatter(logging.Formatter(TRACED_LOG_FORMAT, DATE_FORMAT))
    handler.addFilter(TraceRecordFilter())
    layer = AccessLogMiddleware(
        answer,
        has_request_content_length=True,
        has_request_content_type=True,
        has_response_content_length=True,
        has_response_content_type=True,
    )
    layer.logger.setLevel(logging.INFO)
    layer.logger.propagate = False
    layer.logger.addHandler(handler)
    return layer


async def seconds(app: ASGIApp) -> float:
    """Return the CPU seconds of one request."""
    began = time.process_time()
    for _ in range(REQUESTS):
        await app(SCOPE, receive, send)
    return (time.process_time() - began) / REQUESTS


def main() -> None:
    """Print the table."""
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        layers: dict[str, ASGIApp] = {
            "none": answer,
            "BentoML's access log": bentoml_log(logging.StreamHandler(nowhere)),
            "ours, text": RequestLog(answer, "text", partial(os.write, nowhere.fileno())),
            "ours, JSON": RequestLog(answer, "json", partial(os.write, nowhere.fileno())),
        }
        took: dict[str, list[float]] = {name: [] for name in layers}
        for _ in range(ROUNDS):
            for name, app in layers.items():
                took[name].append(asyncio.run(seconds(app)))
    table = Table("log", "CPU us a request", "rounds")
    for name, rounds in took.items():
        us = [1e6 * each for each in rounds]
        table.add_row(name, f"{median(us):.1f}", f"{min(us):.1f} .. {max(us):.1f}")
    out.print(table)


if __name__ == "__main__":
    main()
