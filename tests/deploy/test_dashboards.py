"""Every query of every dashboard, asked of a real Prometheus that watched real traffic."""

import itertools
import json
import math
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cli.processes import Child
from deploy.observability.dashboards.__main__ import BOARDS, FOLDER
from deploy.observability.dashboards.grafana import page
from models.engine.prepacked import derived
from models.manifest import MODEL, NAME, WEIGHTS, Manifest
from models.settings import Settings
from models.store import Store
from registry.canary import canary
from registry.mlflow.source import MLflowRegistry
from registry.promote import promote
from tests.tiny import WORDS
from tests.wire.conftest import free_port, mlflow_server, running, serving
from tests.wire.test_syncing import put, syncing, until

OBSERVABILITY = FOLDER.parent
TOKEN = "for-this-test-only"  # noqa: S105  (of a service that lives for seconds)
PATIENCE = 60.0
CHOSEN = {"$instance": ".*", "$language": ".*", "$__rate_interval": "30s"}
"""What Grafana puts in the place of its variables."""


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.name))
def test_dashboards_are_what_the_code_makes(board: Any) -> None:  # noqa: ANN401  (of pytest)
    """`make dashboards` writes them; whoever edits the JSON edits the wrong file."""
    assert (FOLDER / f"{board.name}.json").read_text("utf-8") == page(board)


def expressions() -> dict[str, str]:
    """Return what each line of each panel asks, by board, panel and line."""
    found = {}
    for board in BOARDS:
        for panel in json.loads((FOLDER / f"{board.name}.json").read_text("utf-8"))["panels"]:
            for target in panel.get("targets") or ():
                expr = target["expr"]
                for variable, value in CHOSEN.items():
                    expr = expr.replace(variable, value)
                found[f"{board.name}: {panel['title']}: {target['legendFormat']}"] = expr
    return found


def register(registry: MLflowRegistry, folder: Path) -> None:
    """Put versions into MLflow: four champions, one of them without weights; two to follow."""
    for language in ("en", "de", "fr", "nl"):
        put(registry, folder / language, language)
        promote(registry, language)
    for language in ("en", "de"):
        put(registry, folder / f"{language}2", language, sure=3.0)
    for path in (folder / "mlflow" / "artifacts").rglob(NAME):
        if Manifest.read(path.parent).language == "nl":
            (path.parent / WEIGHTS).unlink()


def staged(store: Store) -> list[Path]:
    """Return the versions that have arrived."""
    return list((store.home / "models").glob("sentiment-*/v*"))


def spoil(store: Store, language: str, version: int, sync: Child) -> None:
    """Let a version rot, once prepared, as disks do: its size stays, what it holds does not."""
    (folder,) = (store.home / "models" / f"sentiment-{language}").glob(f"v{version:06d}-*")
    prepared = derived(store.home, Manifest.read(folder).digest)
    until(prepared.exists, sync)
    (folder / MODEL).write_bytes(bytes((folder / MODEL).stat().st_size))
    shutil.rmtree(prepared)


@contextmanager
def watching(folder: Path, targets: dict[str, str]) -> Iterator[str]:
    """Run Prometheus as it is configured, but for addresses and its pace; yields its address."""
    config = yaml.safe_load((OBSERVABILITY / "prometheus.yaml").read_text("utf-8"))
    config["global"] = dict.fromkeys(config["global"], "1s")
    config["rule_files"] = [str(OBSERVABILITY / each) for each in config["rule_files"]]
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"127.0.0.1:{free_port()}"
    argv = [
        *("prometheus", "--config.file", str(folder / "prometheus.yaml")),
        *("--storage.tsdb.path", str(folder / "tsdb"), "--web.listen-address", address),
    ]
    url = f"http://{address}"
    with running(Child("prometheus", argv, folder / "prometheus.log"), f"{url}/-/ready"):
        yield url


def text(number: int) -> str:
    """Return words that the tiny models know: to the cache, other ones are all the same."""
    known = WORDS[2:]
    return " ".join(known[number // len(known) ** place % len(known)] for place in range(4))


@contextmanager
def asking(url: str) -> Iterator[None]:
    """Ask meanwhile, in all ways that show somewhere; one model is closed again and again."""
    over = threading.Event()

    def run() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
            for number in itertools.count():
                for language in ("en", "de", "fr"):
                    question = {"text": text(number // 2), "language": language}
                    client.post("/predict", json=question)
                line = json.dumps({"text": text(-number), "language": "en"})
                client.post("/bulk", content=line, headers={"content-type": "application/jsonl"})
                client.post("/models/fr/evict", headers=headers)
                if over.wait(0.3):
                    return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def silent(prometheus: str, asked: dict[str, str]) -> dict[str, str]:
    """Return the queries that have no number yet."""
    without = {}
    for name, expr in asked.items():
        query = {"query": expr}
        said = httpx.get(f"{prometheus}/api/v1/query", params=query, trust_env=False).json()
        assert said["status"] == "success", (name, said)
        values = [float(sample["value"][1]) for sample in said["data"]["result"]]
        if not any(map(math.isfinite, values)):
            without[name] = expr
    return without


@pytest.mark.wire
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # MLflow leaves sockets to the collector
def test_every_query_returns_data(tmp_path: Path) -> None:
    """After some seconds with promotions, a challenger, evictions, and two versions that fail."""
    settings = Settings(
        home=tmp_path,
        mlflow_uri=f"http://127.0.0.1:{free_port()}",
        sync_url=f"http://127.0.0.1:{free_port()}",
        sync_seconds=0.5,
    )
    store = Store(tmp_path / "bentoml")
    targets = {"polysent-sync": settings.sync_url.removeprefix("http://")}
    with ExitStack() as world:
        world.enter_context(mlflow_server(settings))
        registry = MLflowRegistry(settings.mlflow_uri)
        register(registry, tmp_path)
        sync = world.enter_context(syncing(settings, store))
        url, service = world.enter_context(serving(store, tmp_path, POLYSENT_ADMIN_TOKEN=TOKEN))
        until(lambda: len(staged(store)) == 5, sync)
        world.enter_context(asking(url))
        targets["polysent"] = url.removeprefix("http://")
        prometheus = world.enter_context(watching(tmp_path, targets))
        canary(registry, "en", 0.5, shadow=True)
        spoil(store, "de", 2, sync)
        promote(registry, "de", 2)
        left = expressions()
        ends = time.monotonic() + PATIENCE
        while left and time.monotonic() < ends:
            time.sleep(1)
            left = silent(prometheus, left)

    assert left == {}, service.last_words(40)
