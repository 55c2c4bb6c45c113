import json
import re
from typing import Any

import httpx
import pytest

from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import serving

pytestmark = pytest.mark.wire

MARKER = "geheimnisvoll"
"""Stands in every text, and in whatever else a caller can put a text into."""
TEXT = f"good film {MARKER}"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NDJSON = {"content-type": "application/x-ndjson"}


def ask(client: httpx.Client) -> None:
    """Ask in every form, rightly and wrongly."""
    named = {"text": TEXT, "language": "en"}
    headers = {"X-Request-Id": "one", "traceparent": TRACE}
    client.post("/predict", json=named, headers=headers)
    client.post("/predict/de", json={"text": TEXT})
    client.post("/predict_batch", json={"items": [named, named | {"language": "de"}]})
    client.post("/bulk", content=json.dumps(named) + f"\n{MARKER}\n", headers=NDJSON)
    client.post("/", json={"inputs": TEXT})
    data = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [TEXT]}
    client.post("/v2/models/sentiment-de/infer", json={"inputs": [data]})
    for wrong in (
        {"text": {"deep": TEXT}},
        {"text": f"{TEXT}\ud800".encode("utf-16", "surrogatepass").decode("latin-1")},
        {"text": TEXT, "language": MARKER},
        {"text": TEXT, MARKER: TEXT},
        {"text": TEXT * 2000},
        {"items": TEXT},
        {"inputs": {TEXT: TEXT}},
    ):
        for path in ("/predict", "/predict_batch", "/", "/v2/models/sentiment-de/infer"):
            client.post(path, json=wrong)
    client.post("/predict", content=f'{{"text": "{TEXT}')
    client.post("/predict", content=f'"{TEXT} \\ud800"')
    client.post(f"/predict/{MARKER}", json=named)
    client.post(f"/{MARKER}?text={MARKER}", json=named)
    client.get(f"/predict?text={MARKER}", headers={"X-Language": MARKER, "Cookie": MARKER})
    client.get("/livez")


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return all that a service with JSON logs wrote, one broken model among its own."""
    folder = tmp_path_factory.mktemp("logs")
    store = Store(folder / "bentoml")
    tags = serve_tiny(store, "en", "de", "fr", "mul")
    (store.path(tags["fr"]) / "model.onnx").unlink()
    with (
        serving(store, folder, POLYSENT_LOG="json") as (url, child),
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        ask(client)
        client.post("/predict/fr", json={"text": TEXT})
    return child.log.read_text(errors="replace")


def requests(log: str) -> list[dict[str, Any]]:
    """Return the lines about requests."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["logger"] == "polysent.requests"]


def test_no_line_has_a_text(logged: str) -> None:
    """Of whatever the caller sends, in whatever place, nothing but his request's id is logged."""
    assert len(requests(logged)) > 30
    assert MARKER not in logged


def test_every_line_is_json(logged: str) -> None:
    """From the service's first line to its last; its supervisor's own first lines are text."""
    lines = logged.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("{"))
    for line in lines[first:]:
        said = json.loads(line)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", said["time"])
        assert {"level", "logger"} <= said.keys()


def test_a_request_is_one_line(logged: str) -> None:
    """Which request, in which trace, what it got from which model, and how long it took."""
    line = next(line for line in requests(logged) if line["request_id"] == "one")

    assert line.pop("milliseconds") > 0
    assert line.pop("traceparent").startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert line.pop("time")
    assert line == {
        "level": "info",
        "logger": "polysent.requests",
        "request_id": "one",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "language": "en",
        "version": 1,
    }


def test_routes_are_named_as_documented(logged: str) -> None:
    """A path may hold a text: its parts are named, and one that leads nowhere is not."""
    routes = {(line["route"], line["status"]) for line in requests(logged)}

    assert {
        ("/predict/{language}", 200),
        ("/predict/{language}", 400),
        ("/v2/models/{model}/infer", 200),
        ("", 404),
    } <= routes
    assert "/livez" not in {route for route, _ in routes}


def test_a_batch_names_its_models(logged: str) -> None:
    """Of several models, all."""
    (line,) = (each for each in requests(logged) if "models" in each)

    assert line["models"] == ["sentiment-de:1", "sentiment-en:1"]


def test_what_is_our_fault_is_an_error(logged: str) -> None:
    """So that it can be found."""
    (line,) = (each for each in requests(logged) if each["status"] == 503)

    assert (line["level"], line["language"]) == ("error", "fr")
