import json
import time

import httpx
import pytest

pytestmark = pytest.mark.wire

GOOD = {"text": "good film", "language": "en"}


def test_answer_names_label_scores_language_and_model(tiny_service: httpx.Client) -> None:
    """One text in, the documented answer out."""
    answer = tiny_service.post("/predict", json=GOOD)

    assert answer.status_code == 200
    assert answer.json() == {
        "label": "positive",
        "score": 0.880797,
        "scores": {"negative": 0.119203, "positive": 0.880797},
        "language": {"tag": "en", "source": "given", "confidence": 1.0},
        "model": {"name": "sentiment-en", "version": 1},
    }


def test_language_is_taken_from_path_header_or_body(tiny_service: httpx.Client) -> None:
    """What a balancer can hash is as good as the body."""
    answers = [
        tiny_service.post("/predict/de", json={"text": "gut"}),
        tiny_service.post("/predict", json={"text": "gut"}, headers={"X-Language": "de-AT"}),
        tiny_service.post("/predict", json={"text": "gut", "language": "DE"}),
    ]

    assert [answer.json()["model"]["name"] for answer in answers] == ["sentiment-de"] * 3
    assert [answer.json()["language"]["tag"] for answer in answers] == ["de", "de-AT", "de"]


def test_language_is_detected_when_none_is_given(tiny_service: httpx.Client) -> None:
    """The confidence of the detector is in the answer."""
    text = "Das Essen in diesem Restaurant war leider schlecht und der Kellner unfreundlich."

    answer = tiny_service.post("/predict", json={"text": text}).json()

    assert (answer["language"]["tag"], answer["language"]["source"]) == ("de", "detected")
    assert 0.5 <= answer["language"]["confidence"] <= 1
    assert answer["label"] == "negative"


def test_batch_is_answered_in_order_with_errors_per_item(tiny_service: httpx.Client) -> None:
    """Mixed languages; one bad item costs the others nothing."""
    items = [
        {"id": "a", "text": "gut", "language": "de"},
        {"id": 2, "text": " "},
        {"text": "bad", "language": "en"},
        {"text": "bon", "language": "fr-CA"},
        {"text": "x", "language": "nonsense!"},
    ]

    answers = tiny_service.post("/predict_batch", json={"items": items}).json()["items"]

    assert [answer.get("label", answer.get("code")) for answer in answers] == [
        *("positive", "empty_text", "negative", "positive", "malformed_language")
    ]
    assert [answer.get("id") for answer in answers] == ["a", 2, None, None, None]
    assert answers[3]["model"]["name"] == "sentiment-mul"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/predict", {"text": ""}, 422, "empty_text"),
        ("/predict", {"text": " \n"}, 422, "empty_text"),
        ("/predict", {"text": "x" * 20_001}, 413, "text_too_long"),
        ("/predict", {"text": 5}, 422, "invalid_request"),
        ("/predict", {"text": None}, 422, "invalid_request"),
        ("/predict", {}, 422, "invalid_request"),
        ("/predict", ["good"], 422, "invalid_request"),
        ("/predict", {"text": "x", "lang": "en"}, 422, "invalid_request"),
        ("/predict", {"text": "x", "language": "?"}, 400, "malformed_language"),
        ("/predict", {"text": "x", "language": "xx"}, 422, "language_unknown"),
        ("/predict/de", {"text": "x", "language": "en"}, 400, "language_conflict"),
        ("/predict/nonsense!", {"text": "x"}, 400, "malformed_language"),
        ("/predict_batch", {"items": []}, 422, "invalid_request"),
        ("/predict_batch", {"items": [{"text": "x"}] * 257}, 413, "batch_too_large"),
        ("/predict_batch", {"items": [{"text": 1}]}, 422, "invalid_request"),
        ("/nothing", {"text": "x"}, 404, "not_found"),
        ("/languages", {"text": "x"}, 405, "method_not_allowed"),
    ],
)
def test_bad_input_has_its_own_problem(
    tiny_service: httpx.Client, path: str, body: object, status: int, code: str
) -> None:
    """Each its own status, no stack trace, and the next request is fine."""
    answer = tiny_service.post(path, json=body)

    assert_problem(answer, status, code)
    assert tiny_service.post("/predict", json=GOOD).status_code == 200


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b'{"text": ', "application/json", 400, "malformed_json"),
        (b"", "application/json", 422, "invalid_request"),
        (b"\xff\xfe", "application/json", 400, "malformed_json"),
        (b'{"text": "\\ud800"}', "application/json", 400, "malformed_json"),
        (b"[" * 100_000, "application/json", 400, "malformed_json"),
        (b"text=good", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"\x80\x04.", "application/vnd.bentoml+pickle", 415, "unsupported_media_type"),
        (b" " * (4 * 2**20 + 1), "application/json", 413, "body_too_large"),
    ],
)
def test_bad_body_has_its_own_problem(
    tiny_service: httpx.Client, content: bytes, media_type: str, status: int, code: str
) -> None:
    """Broken JSON, another content type, too many bytes."""
    answer = tiny_service.post("/predict", content=content, headers={"content-type": media_type})

    assert_problem(answer, status, code)
    assert tiny_service.post("/predict", json=GOOD).status_code == 200


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    """Assert RFC 9457, and nothing of our inside in it."""
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


def test_what_is_served_is_listed(tiny_service: httpx.Client) -> None:
    """Language, model and whether it is in memory."""
    tiny_service.post("/predict", json=GOOD)

    listed = tiny_service.get("/languages").json()["languages"]

    assert [row["language"] for row in listed] == ["de", "en", "mul"]
    assert {row["language"]: row["state"] for row in listed}["en"] == "resident"


def test_probes_answer(tiny_service: httpx.Client) -> None:
    """Alive, and ready since there are models."""
    assert tiny_service.get("/livez").status_code == 200
    assert tiny_service.get("/readyz").status_code == 200


def test_metrics_count_answers_by_language_and_outcome(tiny_service: httpx.Client) -> None:
    """Our metrics only; BentoML's have a label for each path that anyone asks for."""
    tiny_service.post("/predict", json=GOOD)

    exposition = tiny_service.get("/metrics").text

    assert (
        'polysent_answers_total{language="en",outcome="ok",urgency="interactive",version="1"}'
        in exposition
    )
    assert "bentoml_service" not in exposition


def test_one_openapi_document_describes_all_of_it(tiny_service: httpx.Client) -> None:
    """BentoML's endpoints and those beside them, with our errors."""
    document = tiny_service.get("/openapi.json").json()

    assert {
        *("/predict", "/predict/{language}", "/predict_batch"),
        *("/languages", "/metrics", "/livez", "/readyz"),
    } <= document["paths"].keys()
    predict = document["paths"]["/predict/{language}"]["post"]
    assert {parameter["in"] for parameter in predict["parameters"]} == {"path", "header"}
    assert "application/problem+json" in predict["responses"]["422"]["content"]


def test_batch_whose_client_has_left_is_not_computed(tiny_service: httpx.Client) -> None:
    """What nobody waits for is dropped; the metric says so."""
    items = [{"text": "good film " * 400, "language": "en"}] * 250
    with pytest.raises(httpx.ReadTimeout):
        tiny_service.post("/predict_batch", json={"items": items}, timeout=0.05)

    deadline = time.monotonic() + 10
    while "left" not in (exposition := tiny_service.get("/metrics").text):
        assert time.monotonic() < deadline, exposition
        time.sleep(0.1)
