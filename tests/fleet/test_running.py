import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from cli import servers
from cli.http import answers
from cli.processes import Child
from models.settings import Settings
from models.store import Store
from tests.fleet.conftest import HOME, ROOT, Fleet
from tests.wire.conftest import free_port, serving, wait_until_ready

pytestmark = pytest.mark.fleet

GERMAN = {"text": "Das Zimmer war sauber.", "language": "de"}


@pytest.fixture
def copied(demo: Fleet, tmp_path: Path) -> Store:
    """Return a store with the same models and a BENTOML_HOME of its own."""
    store = Store(tmp_path / "bentoml")
    store.home.mkdir()
    (store.home / "models").symlink_to(demo.store.home / "models")
    shutil.copytree(demo.store.routes.parent, store.routes.parent)
    return store


def mlflow_pids(demo: Fleet) -> list[int]:
    """Return the processes of the MLflow server that `up` has started."""
    port = demo.mlflow.rpartition(":")[2]
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                argv = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if port in argv and any("mlflow" in word for word in argv):
                found.append(int(folder.name))
    return found


def test_answers_go_on_while_mlflow_is_killed(demo: Fleet, client: httpx.Client) -> None:
    """The registry is not on the path of a request; `up` starts it again."""
    killed = mlflow_pids(demo)
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)

    assert not answers(f"{demo.mlflow}/health")
    assert {client.post("/predict", json=GERMAN).status_code for _ in range(20)} == {200}

    deadline = time.monotonic() + 90
    while not answers(f"{demo.mlflow}/health"):
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_plain_bentoml_serve_answers_from_the_same_store(copied: Store, tmp_path: Path) -> None:
    """Without MLflow, without `up`."""
    with serving(copied, tmp_path) as (url, _):
        answer = httpx.post(f"{url}/predict", json=GERMAN, timeout=30).json()

    assert answer["model"]["name"] == "sentiment-de"


def test_built_bento_answers_from_the_same_store(copied: Store, tmp_path: Path) -> None:
    """`bentoml build` makes a Bento that `bentoml serve TAG` runs; it holds no models."""
    environment = {**os.environ, **servers.QUIET, "BENTOML_HOME": str(copied.home)}
    bentoml = [sys.executable, "-m", "bentoml"]
    built = subprocess.run(
        [*bentoml, "build", "--output", "tag"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    tag = built.stdout.strip().rpartition("__tag__:")[2]
    port = free_port()
    child = Child(
        "bento",
        [*bentoml, "serve", tag, "--host", "127.0.0.1", "--port", str(port)],
        tmp_path / "bento.log",
        environment,
        tmp_path,
    )
    child.start()
    try:
        url = servers.service_url(Settings(port=port))
        wait_until_ready(child, f"{url}/readyz")
        answer = httpx.post(f"{url}/predict", json=GERMAN, timeout=30).json()
    finally:
        child.stop()

    assert answer["model"]["name"] == "sentiment-de"


def test_running_service_is_listed_by_the_command(demo: Fleet) -> None:
    """`polysent models list` asks the service."""
    listed = demo.polysent("models", "list")

    assert listed.returncode == 0
    assert "sentiment-mul" in listed.stdout


def test_second_up_on_the_same_port_says_so(demo: Fleet) -> None:
    """It ends with exit code 2 and touches nothing."""
    second = demo.polysent("up")

    assert second.returncode == 2
    assert "is taken" in second.stderr


def test_sync_with_nothing_to_do_brings_nothing(demo: Fleet) -> None:
    """The same champions are the same store."""
    synced = demo.polysent("registry", "sync")

    assert synced.returncode == 0, synced.stderr
    assert re.search(r"^0 brought .*, 1[34] unchanged", synced.stdout, re.MULTILINE)


def readme(kind: str) -> list[str]:
    """Return the code blocks of a kind."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def test_readme_registers_a_model_of_ones_own(demo: Fleet, client: httpx.Client) -> None:
    """The README's commands bring a checkpoint into the running service."""
    (block,) = [code for code in readme("bash") if "registry register" in code]
    for line in block.splitlines():
        words = shlex.split(line.replace(" .polysent/", f" {HOME}/"))
        assert words[0] == ".venv/bin/polysent"
        done = demo.polysent(*words[1:])
        assert done.returncode == 0, done.stdout + done.stderr

    deadline = time.monotonic() + 60
    question = {"text": "M'agrada molt aquest hotel.", "language": "ca"}
    name = client.post("/predict", json=question).json()["model"]["name"]
    while name != "sentiment-ca" and time.monotonic() < deadline:
        name = client.post("/predict", json=question).json()["model"]["name"]
    assert name == "sentiment-ca"


def test_readme_shows_what_is_really_answered(client: httpx.Client) -> None:
    """The README's curl, run, gives the README's answer; scores to two digits."""
    (command,) = [code for code in readme("bash") if "curl" in code]
    (shown,) = readme("json")

    here = command.replace("http://127.0.0.1:3000", str(client.base_url).rstrip("/"))
    said = subprocess.run(["bash", "-c", here], capture_output=True, text=True, check=True).stdout

    def rounded(text: str) -> str:
        compact = re.sub(r"\s+", "", text)
        return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.2f}", compact)

    assert rounded(said) == rounded(shown)
