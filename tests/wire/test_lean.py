import re
import time
from pathlib import Path

import httpx
import pytest

from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import serving

pytestmark = pytest.mark.wire

HEAVY = {"torch", "transformers", "mlflow", "optimum", "pandas", "sklearn"}


def test_serving_process_imports_no_torch_transformers_or_mlflow(tmp_path: Path) -> None:
    """The interpreter itself lists every import of the real processes, requests included."""
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "en")

    with serving(store, tmp_path, PYTHONPROFILEIMPORTTIME="1") as (url, child):
        answer = httpx.post(f"{url}/predict", json={"text": "good", "language": "en"})
        assert answer.status_code == 200

    log = child.log.read_text(errors="replace")
    imported = set(re.findall(r"^import time:.*\|\s+([A-Za-z_]\w*)", log, re.MULTILINE))
    assert {"bentoml", "onnxruntime", "serving"} <= imported
    assert not imported & HEAVY


def test_empty_store_is_not_ready_and_becomes_so_without_a_restart(tmp_path: Path) -> None:
    """The service may start before the first sync."""
    store = Store(tmp_path / "bentoml")

    with serving(store, tmp_path) as (url, _):
        assert httpx.get(f"{url}/readyz").status_code == 503
        refused = httpx.post(f"{url}/predict", json={"text": "good"})
        assert (refused.status_code, refused.json()["code"]) == (503, "nothing_served")
        assert int(refused.headers["retry-after"]) > 0

        serve_tiny(store, "mul")

        deadline = time.monotonic() + 30
        answer = httpx.post(f"{url}/predict", json={"text": "good"}, timeout=10)
        while answer.status_code == 503 and time.monotonic() < deadline:
            answer = httpx.post(f"{url}/predict", json={"text": "good"}, timeout=10)
        assert answer.json()["model"] == {"name": "sentiment-mul", "version": 1}
        assert httpx.get(f"{url}/readyz").status_code == 200


def test_swapped_champion_answers_without_a_restart(tmp_path: Path) -> None:
    """Every answer names the version that made it."""
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "en", version=1)
    body = {"text": "good", "language": "en"}

    with serving(store, tmp_path) as (url, _), httpx.Client(base_url=url) as client:
        seen = [client.post("/predict", json=body)]
        serve_tiny(store, "en", version=2, sure=5)
        deadline = time.monotonic() + 30
        while seen[-1].json()["model"]["version"] == 1 and time.monotonic() < deadline:
            seen.append(client.post("/predict", json=body))

    assert {answer.status_code for answer in seen} == {200}
    scores = {(a.json()["model"]["version"], a.json()["score"]) for a in seen}
    assert scores == {(1, 0.880797), (2, 0.993307)}


def test_model_that_is_gone_is_unavailable_and_the_others_answer(tmp_path: Path) -> None:
    """One broken model is one language's problem."""
    store = Store(tmp_path / "bentoml")
    tags = serve_tiny(store, "en", "de")
    (store.path(tags["de"]) / "model.onnx").unlink()

    with serving(store, tmp_path) as (url, _):
        broken = httpx.post(f"{url}/predict", json={"text": "gut", "language": "de"})
        fine = httpx.post(f"{url}/predict", json={"text": "good", "language": "en"})

    assert (broken.status_code, broken.json()["code"]) == (503, "model_unavailable")
    assert str(tmp_path) not in broken.text
    assert fine.status_code == 200
