import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import serving

pytestmark = pytest.mark.wire

TWO_MODELS = "9MiB"
"""Room for two tiny models of 4 MiB each, and their tokenizer."""

Polysent = Callable[..., Any]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store with three tiny models."""
    store = Store(tmp_path_factory.mktemp("store"))
    serve_tiny(store, "de", "en", "fr")
    return store


@pytest.fixture(scope="module")
def url(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a service with room for two of them."""
    folder = tmp_path_factory.mktemp("service")
    with serving(store, folder, POLYSENT_MEMORY=TWO_MODELS, POLYSENT_CACHE="0") as (url, _):
        yield url


@pytest.fixture
def polysent(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> Polysent:
    """Return `polysent models ... --json` on the machine of the service."""
    monkeypatch.setenv("BENTOML_HOME", str(store.home))

    def run(*words: str) -> Any:  # noqa: ANN401  (JSON)
        answer = CliRunner().invoke(app, ["models", *words, "--json", "--url", url])
        assert answer.exit_code == 0, answer.stderr
        return json.loads(answer.stdout)

    return run


def ask(url: str, language: str) -> None:
    """Let a text of a language be answered."""
    body = {"text": "good", "language": language}
    assert httpx.post(f"{url}/predict", json=body, timeout=30).status_code == 200


def test_life_of_a_model_is_told_by_the_command(url: str, polysent: Polysent) -> None:
    """Cold, resident after a text, cold once evicted; each with its reason."""
    assert "no text has needed it" in polysent("explain", "en")["why"][0]

    ask(url, "en")
    opened = polysent("explain", "en")
    assert opened["model"]["state"] == "resident"
    assert opened["why"][0].startswith("In memory with 4.0 MiB")
    assert opened["cost"]["queue_seconds"] > 0

    assert polysent("evict", "en")["state"] == "cold"
    assert "because that was asked for" in polysent("explain", "en")["why"][0]
    listed = {row["language"]: row for row in polysent("list")["models"]}
    assert (listed["en"]["state"], listed["en"]["bytes"], listed["en"]["evictions"]) == (
        ("cold", 0, 1)
    )
    ask(url, "en")
    assert polysent("explain", "en")["model"]["loads"] == 2


def test_pin_survives_memory_pressure(url: str, polysent: Polysent) -> None:
    """The others close each other; once unpinned it makes room as they do."""
    pinned = polysent("pin", "de-AT")
    assert (pinned["language"], pinned["state"], pinned["pinned"]) == ("de", "resident", True)

    de = ask_the_others(url, polysent, lambda rows: rows["en"]["evictions"] >= 3)["de"]
    assert (de["state"], de["loads"], de["evictions"]) == ("resident", 1, 0)

    polysent("unpin", "de")
    ask_the_others(url, polysent, lambda rows: rows["de"]["state"] == "cold")


def ask_the_others(
    url: str, polysent: Polysent, enough: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Ask for English and French by turns until it is enough; returns all rows by language."""
    deadline = time.monotonic() + 20
    while True:
        ask(url, "en")
        ask(url, "fr")
        rows = {row["language"]: row for row in polysent("list")["models"]}
        if enough(rows):
            return rows
        assert time.monotonic() < deadline, rows


def test_wrong_token_changes_nothing(url: str, polysent: Polysent) -> None:
    """401 with how to say who asks, by HTTP and by the command."""
    answer = httpx.post(f"{url}/models/de/pin", headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"

    command = ["models", "pin", "de", "--url", url, "--token", "wrong"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 1
    assert "The key is missing or wrong" in refused.stderr
    assert not polysent("explain", "de")["model"]["pinned"]


def test_document_describes_the_control_plane(url: str) -> None:
    """Who may, what is answered, what is refused."""
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]

    evict = paths["/models/{language}/evict"]["post"]
    assert evict["security"] == [{"Bearer": []}, {"Key": []}]
    assert {"200", "401", "409", "422", "503"} <= evict["responses"].keys()
    assert "WWW-Authenticate" in evict["responses"]["401"]["headers"]
    read = paths["/models/{language}"]["get"]
    assert {} in read["security"], "without keys it is for everyone"
    assert {"401", "422"} <= read["responses"].keys()


def test_token_that_is_set_is_the_one(store: Store, tmp_path: Path) -> None:
    """A deployment gives it to its operators itself."""
    given = "of-the-deployment"
    with serving(store, tmp_path, POLYSENT_ADMIN_TOKEN=given) as (url, _):
        statuses = [
            httpx.post(
                f"{url}/models/en/pin", headers={"Authorization": f"Bearer {token}"}, timeout=30
            ).status_code
            for token in (store.token.read_text(), given)
        ]
    assert statuses == [401, 200]
