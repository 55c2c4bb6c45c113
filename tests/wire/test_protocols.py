from typing import Any

import httpx
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

pytestmark = pytest.mark.wire


def tensor(*texts: str, **other: Any) -> dict[str, Any]:  # noqa: ANN401  (JSON)
    """Return an infer request."""
    text = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)}
    return {"inputs": [text | other]}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_client_of_hugging_face_works_unchanged(tiny_service: httpx.Client) -> None:
    """Labels with the best first; the language is detected, or that of the address."""
    url = str(tiny_service.base_url).rstrip("/")

    detected = InferenceClient(model=url).text_classification("good film")
    named = InferenceClient(model=f"{url}/hf/de").text_classification("schlecht", top_k=1)

    assert [(each.label, each.score) for each in detected] == [
        ("positive", 0.880797),
        ("negative", 0.119203),
    ]
    assert [(each.label, each.score) for each in named] == [("negative", 0.880797)]


def test_client_of_hugging_face_is_told_what_is_wrong(tiny_service: httpx.Client) -> None:
    """Scores are probabilities that add up to 1, and nothing else."""
    client = InferenceClient(model=str(tiny_service.base_url))

    with pytest.raises(HfHubHTTPError) as refused:
        client.text_classification("good", function_to_apply="sigmoid")

    assert refused.value.response is not None
    assert refused.value.response.status_code == 422


def test_several_inputs_are_several_lists(tiny_service: httpx.Client) -> None:
    """In the order of the inputs."""
    answer = tiny_service.post("/hf/en", json={"inputs": ["good", "bad"]}).json()

    assert [ranked[0]["label"] for ranked in answer] == ["positive", "negative"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/", {"inputs": ""}, (422, "empty_text")),
        ("/", {"inputs": []}, (422, "invalid_request")),
        ("/", {"inputs": ["good"] * 257}, (413, "batch_too_large")),
        ("/", {"inputs": "x", "parameters": {"top_k": 0}}, (422, "invalid_request")),
        ("/hf/en", {"inputs": ["good", " "]}, (422, "empty_text")),
        ("/hf/xx", {"inputs": "good"}, (422, "language_unknown")),
    ],
)
def test_bad_inputs_have_their_problem(
    tiny_service: httpx.Client, path: str, body: object, expected: tuple[int, str]
) -> None:
    """The same problems as everywhere."""
    assert problem(tiny_service.post(path, json=body)) == expected


def test_page_to_try_stays(tiny_service: httpx.Client) -> None:
    """`POST /` takes nothing from `GET /`."""
    assert "text/html" in tiny_service.get("/").headers["content-type"]


def test_server_and_models_describe_themselves(tiny_service: httpx.Client) -> None:
    """As the Open Inference Protocol has it."""
    server = tiny_service.get("/v2").json()
    model = tiny_service.get("/v2/models/sentiment-de/versions/1").json()

    assert server["name"] == "polysent"
    assert tiny_service.get("/v2/health/live").json() == {"live": True}
    assert tiny_service.get("/v2/health/ready").json() == {"ready": True}
    assert (model["name"], model["versions"]) == ("sentiment-de", ["1"])
    assert model["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert [column["name"] for column in model["outputs"]] == [
        *("label", "score", "negative", "neutral", "positive", "language")
    ]


def test_cold_model_is_ready_and_says_so(tiny_service: httpx.Client) -> None:
    """Its next text opens it."""
    states = {
        row["model"]["name"]: row["state"]
        for row in tiny_service.get("/languages").json()["languages"]
    }

    for name, state in states.items():
        answer = tiny_service.get(f"/v2/models/{name}/ready")
        assert answer.status_code == 200
        assert answer.json() == {
            "name": name,
            "ready": True,
            "parameters": {"state": state.upper()},
        }
    assert tiny_service.get("/v2/models/sentiment/ready").json()["ready"]


def test_texts_are_inferred_in_columns(tiny_service: httpx.Client) -> None:
    """The id comes back; a label that the model does not know has the score 0."""
    body = {"id": "7", **tensor("good film", "bad", shape=[2, 1], data=[["good film"], ["bad"]])}

    answer = tiny_service.post("/v2/models/sentiment-en/versions/1/infer", json=body).json()

    assert (answer["id"], answer["model_name"], answer["model_version"]) == (
        *("7", "sentiment-en", "1"),
    )
    columns = {column["name"]: column for column in answer["outputs"]}
    assert columns["label"] == {
        "name": "label",
        "datatype": "BYTES",
        "shape": [2],
        "data": ["positive", "negative"],
    }
    assert columns["positive"]["data"] == [0.880797, 0.119203]
    assert columns["neutral"]["data"] == [0, 0]
    assert columns["language"]["data"] == ["en", "en"]


def test_model_without_a_language_detects_it(tiny_service: httpx.Client) -> None:
    """Only the columns that are wanted."""
    text = "Das Essen in diesem Restaurant war leider schlecht und der Kellner unfreundlich."
    body = tensor(text) | {"outputs": [{"name": "language"}]}

    answer = tiny_service.post("/v2/models/sentiment/infer", json=body).json()

    assert [column["data"] for column in answer["outputs"]] == [["de"]]


@pytest.mark.parametrize(
    ("model", "body", "expected"),
    [
        ("sentiment-xx", tensor("x"), (404, "model_not_found")),
        ("de", tensor("x"), (404, "model_not_found")),
        ("sentiment-en/versions/2", tensor("x"), (404, "model_not_found")),
        ("sentiment/versions/1", tensor("x"), (404, "model_not_found")),
        ("sentiment-en", tensor("x", datatype="FP32"), (422, "invalid_request")),
        ("sentiment-en", tensor("x", name="texts"), (422, "invalid_request")),
        ("sentiment-en", tensor("x", shape=[2]), (422, "invalid_request")),
        ("sentiment-en", tensor("x", shape=[1, 2]), (422, "invalid_request")),
        ("sentiment-en", tensor("x", shape=[]), (422, "invalid_request")),
        ("sentiment-en", tensor(), (422, "invalid_request")),
        ("sentiment-en", {"inputs": []}, (422, "invalid_request")),
        ("sentiment-en", tensor("x") | {"outputs": [{"name": "x"}]}, (422, "invalid_request")),
        ("sentiment-en", tensor("good", " "), (422, "empty_text")),
        ("sentiment-en", tensor(*["good"] * 257), (413, "batch_too_large")),
    ],
)
def test_bad_inference_has_its_problem(
    tiny_service: httpx.Client, model: str, body: object, expected: tuple[int, str]
) -> None:
    """The texts of one request fail together."""
    assert problem(tiny_service.post(f"/v2/models/{model}/infer", json=body)) == expected


def test_version_that_is_not_served_is_told_which_is(tiny_service: httpx.Client) -> None:
    """404, with the number."""
    answer = tiny_service.get("/v2/models/sentiment-en/versions/9/ready")

    assert problem(answer) == (404, "model_not_found")
    assert "served: 1" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {"text": "good", "language": "en"}),
        ("/predict/en", {"text": "good"}),
        ("/predict_batch", {"items": [{"text": "good", "language": "en"}] * 2}),
        ("/hf/en", {"inputs": "good"}),
        ("/v2/models/sentiment-en/infer", tensor("good")),
    ],
)
def test_every_form_says_where_the_time_went(
    tiny_service: httpx.Client, path: str, body: object
) -> None:
    """`Server-Timing`, `X-Request-Id` and the preference, as on every answer."""
    headers = {"X-Request-Id": "mine", "Prefer": "wait=30"}

    answer = tiny_service.post(path, json=body, headers=headers)

    assert answer.status_code == 200
    stages = [stage.partition(";")[0] for stage in answer.headers["server-timing"].split(", ")]
    assert stages[-1] == "total"
    assert "detect" in stages
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["preference-applied"] == "wait=30"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/languages", "/metrics", "/v2", "/nothing"])
def test_every_answer_says_which_request(tiny_service: httpx.Client, path: str) -> None:
    """Probes, routes beside BentoML's, and what is not there."""
    answer = tiny_service.get(path)

    assert len(answer.headers["x-request-id"]) == 32
    assert "total;dur=" in answer.headers["server-timing"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", {"inputs": [7] * 300_000}),
        ("/invocations", {"instances": [7] * 300_000}),
        (
            "/v2/models/sentiment-en/infer",
            {
                "inputs": [
                    {
                        "name": "text",
                        "shape": [300_000],
                        "datatype": "BYTES",
                        "data": [7] * 300_000,
                    }
                ]
            },
        ),
    ],
)
def test_batch_without_end_is_refused_unread(
    tiny_service: httpx.Client, path: str, body: object
) -> None:
    """Not after each of its items has been found wrong."""
    answer = tiny_service.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (413, "batch_too_large")
