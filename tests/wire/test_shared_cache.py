from pathlib import Path

import httpx
import pytest

from models.store import Store
from tests.redis_server import redis_server
from tests.tiny import serve_tiny
from tests.wire.conftest import free_port, serving

pytestmark = pytest.mark.wire


def ask(url: str, text: str) -> str:
    """Return the label of an English text."""
    answer = httpx.post(f"{url}/predict", json={"text": text, "language": "en"}, timeout=30)
    return str(answer.json()["label"])


def hits(url: str) -> float:
    """Return how many texts this replica's cache knew."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    of_hits = 'polysent_cache_requests_total{outcome="hit"} '
    return sum(float(line.removeprefix(of_hits)) for line in lines if line.startswith(of_hits))


def test_replicas_share_answers_and_outlive_their_redis(tmp_path: Path) -> None:
    """What one computed the other knows; when Redis is killed, both go on."""
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "en")
    port = free_port()
    address = f"redis://127.0.0.1:{port}/0"

    with (
        redis_server(tmp_path, port) as redis,
        serving(store, tmp_path / "one", POLYSENT_CACHE_URL=address) as (one, _),
        serving(store, tmp_path / "two", POLYSENT_CACHE_URL=address) as (two, _),
    ):
        assert [ask(one, "good film"), ask(two, "good film")] == ["positive"] * 2
        assert (hits(one), hits(two)) == (0, 1)

        redis.kill()
        redis.wait()
        for url in (one, two):
            assert [ask(url, f"bad film {'film ' * n}") for n in range(5)] == ["negative"] * 5
            assert ask(url, "good film") == "positive"
        assert (hits(one), hits(two)) == (1, 2)
