import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from models.errors import RegistryUnavailable, StoreFailed
from registry.syncing import replay
from registry.syncing.listener import AT_ONCE, LARGEST, PATIENCE, Calls, listening
from registry.syncing.nudge import MOST_SECONDS, nudge, signed
from tests.wire.conftest import free_port

SECRET = "between us"  # noqa: S105
BODY = b'{"entity":"model_version_alias","action":"created"}'


class Heard:
    """Counts nudges."""

    def __init__(self) -> None:
        """Start at none."""
        self.times = 0

    def __call__(self) -> None:
        """Count one."""
        self.times += 1


@pytest.fixture
def heard() -> Heard:
    """Return what the listener calls."""
    return Heard()


@pytest.fixture
def url(heard: Heard) -> Iterator[str]:
    """Return the address of a listener."""
    with listening("http://127.0.0.1:0", Calls(SECRET, heard, lambda: b"looks 1\n")) as port:
        yield f"http://127.0.0.1:{port}"


def post(url: str, headers: dict[str, str], body: bytes = BODY) -> int:
    """Send a call, and return the status."""
    return httpx.post(url, content=body, headers=headers, trust_env=False).status_code


def test_a_command_of_ours_is_heard(url: str, heard: Heard) -> None:
    """It knows the secret."""
    nudge(url, SECRET)

    assert heard.times == 1


def test_a_call_signed_as_mlflow_signs_is_heard_once(url: str, heard: Heard) -> None:
    """Who has seen one can't send it again; MLflow's next one is another."""
    one, two = (signed(SECRET, delivery, int(time.time()), BODY) for delivery in ("one", "two"))

    assert [post(url, headers) for headers in (one, one, two)] == [202, 409, 202]
    assert heard.times == 2


def test_a_call_is_forgotten_when_its_signature_is_too_old() -> None:
    """Memory does not grow with the calls of a year."""
    now = 0.0
    calls = replay.Heard(clock=lambda: now)
    assert [calls.first("one"), calls.first("one")] == [True, False]

    now = replay.KEPT_SECONDS
    assert calls.first("two")
    assert list(calls._until) == ["two"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed("another secret", "one", int(time.time()), BODY),
        signed(SECRET, "one", int(time.time()), b"another body"),
        signed(SECRET, "one", int(time.time()) - 10 * MOST_SECONDS, BODY),
        signed(SECRET, "one", int(time.time()) + 10 * MOST_SECONDS, BODY),
        signed(SECRET, "one", int(time.time()), BODY) | {"X-MLflow-Delivery-Id": "two"},
        signed(SECRET, "one", int(time.time()), BODY) | {"X-MLflow-Timestamp": "soon"},
    ],
)
def test_others_are_not_heard(headers: dict[str, str], url: str, heard: Heard) -> None:
    """No signature, a wrong one, one of another call, one of another time."""
    assert post(url, headers) == 401
    assert heard.times == 0


def test_a_call_that_is_too_long_is_not_read(url: str, heard: Heard) -> None:
    """Who does not know the secret must not fill the memory."""
    assert post(url, {}, b"x" * (LARGEST + 1)) == 413
    assert heard.times == 0


def test_probes_and_metrics_are_answered(url: str) -> None:
    """Prometheus and Kubernetes ask here; there is nothing else."""
    answers = [httpx.get(url + path, trust_env=False) for path in ("/livez", "/metrics", "/")]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert answers[1].text == "looks 1\n"


def test_a_nudge_that_nobody_hears_says_so() -> None:
    """The next look will find it anyway."""
    with pytest.raises(RegistryUnavailable, match="no sync listens"):
        nudge(f"http://127.0.0.1:{free_port()}", SECRET)


def test_a_wrong_secret_is_told_to_the_command(url: str) -> None:
    """It is not taken for success."""
    with pytest.raises(RegistryUnavailable, match="refused the nudge"):
        nudge(url, "another secret")


def test_an_address_that_is_taken_is_said(url: str, heard: Heard) -> None:
    """With the setting that names another."""
    with (
        pytest.raises(StoreFailed, match="POLYSENT_SYNC_URL"),
        listening(url, Calls(SECRET, heard, lambda: b"")),
    ):
        pass


def test_slow_callers_do_not_keep_others_out_for_long(url: str, heard: Heard) -> None:
    """Who sends a byte now and then is hung up on after some seconds in all."""
    place = urlsplit(url)
    address = str(place.hostname), int(place.port or 0)
    slow = [socket.create_connection(address) for _ in range(AT_ONCE)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\n")
    time.sleep(0.2)
    with pytest.raises(RegistryUnavailable):
        nudge(url, SECRET)

    time.sleep(PATIENCE)
    nudge(url, SECRET)

    assert heard.times == 1
    for connection in slow:
        connection.close()
