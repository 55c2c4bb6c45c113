import time
from pathlib import Path

import httpx
import pytest

from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import serving

pytestmark = pytest.mark.wire

DEPLOYED = "/v1/endpoints/7/deployedModels/8"
"""Where Vertex AI asks a container that names no paths of its own."""


def test_sagemaker_is_answered(tiny_service: httpx.Client) -> None:
    """Texts alone or with their language, each answered as `/predict` answers it."""
    german = {"text": "schlecht", "language": "de"}
    body = {"instances": ["good film, said the critic to her friend", german]}

    answer = tiny_service.post("/invocations", json=body)

    assert tiny_service.get("/ping").status_code == 200
    detected, given = answer.json()["predictions"]
    assert (detected["label"], detected["language"]["source"]) == ("positive", "detected")
    assert given == tiny_service.post("/predict", json=german).json()


def test_parameters_name_the_language_of_all(tiny_service: httpx.Client) -> None:
    """An instance that names another one is a contradiction."""
    parameters = {"language": "de"}

    agreed = tiny_service.post(
        "/invocations", json={"instances": ["gut"], "parameters": parameters}
    )
    torn = tiny_service.post(
        "/invocations",
        json={"instances": [{"text": "good", "language": "en"}], "parameters": parameters},
    )

    assert agreed.json()["predictions"][0]["model"]["name"] == "sentiment-de"
    assert (torn.status_code, torn.json()["code"]) == (400, "language_conflict")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"instances": []}, (422, "invalid_request")),
        ({"instances": [7]}, (422, "invalid_request")),
        ({"instances": [{"text": "good", "langauge": "en"}]}, (422, "invalid_request")),
        ({"instances": ["good", " "]}, (422, "empty_text")),
        ({"instances": ["good"] * 257}, (413, "batch_too_large")),
        ({"inputs": ["good"]}, (422, "invalid_request")),
    ],
)
def test_bad_instances_have_their_problem(
    tiny_service: httpx.Client, body: object, expected: tuple[int, str]
) -> None:
    """The same problems as everywhere; the texts of one request fail together."""
    answer = tiny_service.post("/invocations", json=body)

    assert (answer.status_code, answer.json()["code"]) == expected


def test_vertex_is_answered_at_its_own_paths(store: Store, tmp_path: Path) -> None:
    """Health is 503 until there is a model, and the paths are those of the variables."""
    paths = {"AIP_HEALTH_ROUTE": DEPLOYED, "AIP_PREDICT_ROUTE": f"{DEPLOYED}:predict"}

    with (
        serving(store, tmp_path, **paths) as (url, _),
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        empty = client.get(DEPLOYED)
        serve_tiny(store, "en")
        while client.get(DEPLOYED).status_code == 503:
            time.sleep(0.05)
        healthy = client.get(DEPLOYED)
        body = {"instances": [{"text": "good", "language": "en"}]}
        answer = client.post(f"{DEPLOYED}:predict", json=body)

    assert (empty.status_code, healthy.status_code) == (503, 200)
    assert [each["label"] for each in answer.json()["predictions"]] == ["positive"]
