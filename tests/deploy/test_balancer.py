import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from models.errors import ModelUnavailable
from serving.result import Problem
from tests.deploy.balancers import BALANCERS
from tests.deploy.clients import Clients
from tests.deploy.replicas import LANGUAGES, Replica, three
from tests.wire.conftest import free_port

pytestmark = pytest.mark.wire

PATIENCE = 60.0
"""Seconds after which languages that are not home have lost their way."""
OK, NOT_YET = 200, 503
"""What a balancer answers, and what it answers before it has found a replica."""
Homes = dict[str, set[int]]


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Replica]]:
    """Return three replicas that are ready."""
    made = three(tmp_path_factory.mktemp("replicas"))
    try:
        for replica in made:
            replica.wait()
        yield made
    finally:
        for replica in made:
            replica.child.stop()


@pytest.fixture(scope="module", params=BALANCERS)
def url(
    request: pytest.FixtureRequest,
    replicas: list[Replica],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Return the address of a balancer before them, which has found them all ready."""
    ports = [replica.port for replica in replicas]
    folder = tmp_path_factory.mktemp(request.param)
    with BALANCERS[request.param].running(ports, folder) as address:
        _until(lambda: len(set().union(*_homes(address, replicas).values())) == len(replicas))
        yield address


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_replica_that_ends_costs_no_answer(
    url: str, replicas: list[Replica], ending: signal.Signals
) -> None:
    """Only the languages of a replica that ends under load move, and they come home to it."""
    before = _homes(url, replicas)
    gone, *others = sorted(range(len(replicas)), key=lambda n: -_count(before, n))
    assert all(len(home) == 1 for home in before.values())
    assert all(_count(before, replica) for replica in others)
    clients = Clients(url, LANGUAGES)
    with clients.asking(6):
        _until(lambda: clients.asked > len(LANGUAGES))
        counted = {n: replicas[n].answered() for n in others}
        replicas[gone].signal(ending)
        _until(lambda: _answered(replicas, counted) == set(LANGUAGES))
        meanwhile = {n: set(replicas[n].answered() - was) for n, was in counted.items()}
        clients.pause = 0.05  # leaves the replica the cores that it starts with
        replicas[gone].restart()
        _until(lambda: _homes(url, replicas) == before)

    assert clients.failed == []
    for n, languages in meanwhile.items():
        home = {language for language in LANGUAGES if before[language] == {n}}
        away = {language for language in LANGUAGES if before[language] == {gone}}
        assert home <= languages <= home | away


def test_language_has_one_home(url: str, replicas: list[Replica]) -> None:
    """Path, header, Open Inference Protocol and Hugging Face's form lead to the same replica."""
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["good"]}
    questions = {
        "/predict": {"text": "good"},
        "/hf/de": {"inputs": "good"},
        "/v2/models/sentiment-de/infer": {"inputs": [tensor]},
        "/v2/models/sentiment-de/versions/1/infer": {"inputs": [tensor]},
        "/predict/de?x=1": {"text": "good"},
        "/predict/%64e": {"text": "good"},
    }
    home = _homes(url, replicas)["de"]
    before = [replica.answered()["de"] for replica in replicas]
    for path, body in questions.items():
        headers = {"X-Language": "de"} if path == "/predict" else {}
        response = httpx.post(f"{url}{path}", json=body, headers=headers, trust_env=False)
        assert response.is_success, response.text

    after = [replica.answered()["de"] for replica in replicas]
    assert {n for n, count in enumerate(after) if count > before[n]} == home


def test_what_names_no_language_goes_anywhere(url: str, replicas: list[Replica]) -> None:
    """Without a language there is no home, and every replica takes its part."""
    before = [replica.answered()["en"] for replica in replicas]
    with httpx.Client(base_url=url, trust_env=False) as client:
        for turn in range(60):
            body = {"text": f"good film {turn}", "language": "en"}
            assert client.post("/predict", json=body).is_success

    after = [replica.answered()["en"] for replica in replicas]
    assert all(now > was for was, now in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 404),
        ("GET", "/metric%73", 404),
        ("POST", "/models/de/pin", 403),
        ("POST", "/models/de/evic%74", 403),
        ("POST", "/%6dodels/de/unpin", 403),
        ("GET", "/models/de", 200),
        ("GET", "/readyz", 200),
    ],
)
def test_what_is_for_operators_stays_inside(url: str, method: str, path: str, status: int) -> None:
    """A replica's metrics and what changes its memory are not for the public, however written."""
    assert httpx.request(method, f"{url}{path}", trust_env=False).status_code == status


@pytest.mark.parametrize("kind", BALANCERS)
def test_balancer_alone_answers_like_the_service(kind: str, tmp_path: Path) -> None:
    """Where no replica is ready the balancer says 503 in our words, and when to come back."""
    nowhere = [free_port() for _ in range(3)]
    with BALANCERS[kind].running(nowhere, tmp_path) as url:
        response = httpx.post(f"{url}/predict/de", json={"text": "gut"}, trust_env=False)

    problem = Problem.model_validate_json(response.content)
    assert response.status_code == problem.status == ModelUnavailable.status
    assert (problem.code, problem.title) == (ModelUnavailable.code, ModelUnavailable.title)
    assert response.headers["Retry-After"] == str(problem.retry_after)
    assert response.headers["Content-Type"] == "application/problem+json"


def _homes(url: str, replicas: list[Replica]) -> Homes:
    """Return where each language is answered."""
    before = [replica.answered() for replica in replicas]
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for language in LANGUAGES:
            response = client.post(f"/predict/{language}", json={"text": "good"})
            assert response.status_code in {OK, NOT_YET}, response.text
    grown = [replica.answered() - was for replica, was in zip(replicas, before, strict=True)]
    return {tag: {n for n, count in enumerate(grown) if count[tag]} for tag in LANGUAGES}


def _answered(replicas: list[Replica], before: dict[int, Counter[str]]) -> set[str]:
    return set().union(*(replicas[n].answered() - was for n, was in before.items()))


def _count(homes: Homes, replica: int) -> int:
    return sum(home == {replica} for home in homes.values())


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
