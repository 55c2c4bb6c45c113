"""How long after a click in MLflow does the new version answer, and what does it cost?

A real MLflow server, a real browser, a real sync and a real service under 20 requests a second.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.axes import Axes

from benchmarks.click import Page, browsing
from benchmarks.clones import PASSED
from benchmarks.corpus import Corpus
from benchmarks.fleet import prototype, roll
from benchmarks.options import CHOSEN, Options, read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import free_port, running
from benchmarks.steady import Steady, asking
from cli import servers
from cli.processes import Child
from models.artifact import open_artifact
from models.identity import ModelId
from models.labels import Scores
from models.manifest import MODEL, WEIGHTS, File, Manifest
from models.settings import Settings
from models.store import Store
from models.tokens import Tokenizers
from registry.mlflow.source import MLflowRegistry
from registry.rollback import rollback
from registry.syncing.journal import Journal
from registry.syncing.nudge import nudge

LANGUAGE = "de"
RATE = 20.0
POLL_SECONDS = 2.0
TEXTS = 200
WITHIN = 60.0
"""Seconds after which a version that did not answer counts as never."""
CACHE_SECONDS = 7.0
"""Until MLflow has forgotten which webhooks there were (MLFLOW_WEBHOOK_CACHE_TTL is 5)."""
SECRET = "benchmarks"  # noqa: S105  (of servers on loopback)
SAME = 1e-3
"""Largest difference of a score between an answer and the offline answer of its version."""


@dataclass(slots=True)
class Scene:
    """MLflow with its page, a store that a sync fills, a service over it, and who asks."""

    options: Options
    folder: Path
    registry: MLflowRegistry
    settings: Settings
    syncer: Child
    page: Page
    steady: Steady
    made: list[ModelId] = field(default_factory=list)
    nbytes: int = 0
    """Of one version."""

    def register(self) -> ModelId:
        """Make another version, with weights of its own; MLflow alone keeps it."""
        folder = version(self.options, self.folder / "version", len(self.made) + 1)
        manifest = Manifest.read(folder)
        self.made.append(self.registry.register(folder, manifest).model)
        self.nbytes = manifest.nbytes
        shutil.rmtree(folder)
        return self.made[-1]

    def wait_until(self, model: ModelId, state: str) -> None:
        """Wait until the sync has written on a version what became of it."""
        ends = time.monotonic() + WITHIN
        while time.monotonic() < ends:
            tags = {each.model: each.tags for each in self.registry.versions(LANGUAGE)}
            if tags[model].get("serving.state") == state:
                return
            time.sleep(0.1)
        raise RuntimeError(self.syncer.last_words(40))

    def click(self, model: ModelId, before: Callable[[], object] = lambda: None) -> float:
        """Promote on the page; return the seconds from the click to the first answer."""
        button = self.page.write_alias(model, "champion")
        before()
        return self.steady.first(model.version, self.page.save(button), WITHIN)

    def take_back(self) -> float:
        """Roll back as the command does; return the seconds to the first answer."""
        began = time.monotonic()
        journal = Journal.of(Store(self.folder / "bentoml"))
        model = rollback(self.registry, journal, LANGUAGE).after
        nudge(self.settings.sync_url, SECRET)
        return self.steady.first(model.version, began, WITHIN)


@dataclass(slots=True)
class Rounds:
    """Seconds from the click to the first answer of the new version, one figure a round."""

    polled: list[float] = field(default_factory=list)
    staged: list[float] = field(default_factory=list)
    unstaged: list[float] = field(default_factory=list)
    taken_back: list[float] = field(default_factory=list)


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__)
    rounds = Rounds()
    with scene(options) as found:
        with asking(found.steady):
            for _ in range(options.rounds):
                polled(found, rounds)
            with syncing(found):
                time.sleep(CACHE_SECONDS)
                for _ in range(options.rounds):
                    nudged(found, rounds)
        wrong = differing(found)
    answers = found.steady.answers
    failed = [answer.failed for answer in answers if answer.failed]
    result = Result(
        name="promotion",
        question="How long after a click in MLflow does the new version answer?",
        setup={
            "model": options.shape,
            "precision": CHOSEN,
            "requests a second": RATE,
            "poll every, s": POLL_SECONDS,
            "bytes of a version": found.nbytes,
        },
        claims=(
            claim("click to first answer, by poll", rounds.polled, 5.0),
            claim("click to first answer, by webhook, staged", rounds.staged, 1.5),
            claim("click to first answer, by webhook, to be fetched", rounds.unstaged, 5.0),
            claim("rollback to first answer", rounds.taken_back, 1.5),
            Claim("failed requests", (float(len(failed)),), "at most", 0),
            Claim("answers unlike those of their version", (float(wrong),), "at most", 0),
        ),
        beside={
            "answers": len(answers),
            "versions": sorted({answer.version for answer in answers}),
            "failures": failed[:10],
        },
    )
    return finish(result, options, lambda axes: draw(axes, found.steady))


def claim(name: str, rounds: list[float], target: float) -> Claim:
    """Return a time held against its target."""
    return Claim(name, tuple(rounds), "at most", target, " s")


def polled(found: Scene, rounds: Rounds) -> None:
    """Nobody calls the sync: it looks every two seconds."""
    model = found.register()
    with syncing(found):
        client = found.registry._client  # noqa: SLF001  (what has no use but here)
        for webhook in client.list_webhooks():
            client.delete_webhook(webhook.webhook_id)
        found.wait_until(model, "staged")
        time.sleep(CACHE_SECONDS)
        rounds.polled.append(found.click(model))


def nudged(found: Scene, rounds: Rounds) -> None:
    """MLflow calls the sync: for what is staged, for a step back, for what is still to come."""
    model = found.register()
    found.wait_until(model, "staged")
    rounds.staged.append(found.click(model))
    found.wait_until(model, "served")
    rounds.taken_back.append(found.take_back())
    group = found.syncer.pid
    if group is None:
        message = "the sync has ended"
        raise RuntimeError(message)
    os.killpg(group, signal.SIGSTOP)
    model = found.register()
    rounds.unstaged.append(found.click(model, lambda: os.killpg(group, signal.SIGCONT)))


@contextmanager
def scene(options: Options) -> Iterator[Scene]:
    """Start everything, with one version that answers."""
    folder = options.home / "benchmarks" / "promotion"
    shutil.rmtree(folder, ignore_errors=True)
    store = Store(folder / "bentoml")
    settings = Settings(
        home=folder,
        port=free_port(),
        mlflow_uri=f"http://127.0.0.1:{free_port()}",
        sync_url=f"http://127.0.0.1:{free_port()}",
    )
    environment = {
        "BENTOML_HOME": str(store.home),
        "POLYSENT_HOME": str(folder),
        "POLYSENT_MLFLOW_URI": settings.mlflow_uri,
        "POLYSENT_SYNC_URL": settings.sync_url,
        "POLYSENT_SYNC_SECONDS": str(POLL_SECONDS),
        "POLYSENT_WEBHOOK_SECRET": SECRET,
        "POLYSENT_CACHE": "0",
    }
    mlflow, syncer, service = (
        servers.mlflow(settings),
        servers.syncer(settings),
        servers.service(settings),
    )
    for child in (syncer, service):
        child.environment = {**child.environment, **environment}
    syncer.folder = servers.PROJECT
    texts = Corpus(options.home).texts(LANGUAGE, TEXTS)
    url = servers.service_url(settings)
    with ExitStack() as stack:
        stack.enter_context(running(mlflow, f"{settings.mlflow_uri}/health"))
        page = stack.enter_context(browsing(settings.mlflow_uri))
        steady = Steady(url, LANGUAGE, texts, RATE)
        registry = MLflowRegistry(settings.mlflow_uri)
        found = Scene(options, folder, registry, settings, syncer, page, steady)
        registry.promote(found.register(), "champion")
        with syncing(found):
            found.wait_until(ModelId(LANGUAGE, 1), "served")
        stack.enter_context(running(service, f"{url}/readyz"))
        steady.ask(texts[0])
        yield found
    shutil.rmtree(folder)


@contextmanager
def syncing(found: Scene) -> Iterator[None]:
    """Run the sync meanwhile."""
    with running(found.syncer, f"{found.settings.sync_url}/livez"):
        yield


def version(options: Options, folder: Path, number: int) -> Path:
    """Make an artifact with weights of its own; its gate is made up, for nothing is classified."""
    folder.mkdir(parents=True)
    for file in prototype(options, CHOSEN).iterdir():
        shutil.copyfile(file, folder / file.name)
    roll(folder, number)
    old = Manifest.read(folder)
    files = old.files | {WEIGHTS: File.of(folder / WEIGHTS), MODEL: File.of(folder / MODEL)}
    update = {"language": LANGUAGE, "files": files, "gate": PASSED}
    old.model_copy(update=update).write(folder)
    return folder


def differing(found: Scene) -> int:
    """Return how many answers are not those that their version gives offline."""
    tokenizers, wrong = Tokenizers(), 0
    for model in found.made:
        of_it = [answer for answer in found.steady.answers if answer.version == model.version]
        texts = list(dict.fromkeys(answer.text for answer in of_it))
        if texts:
            folder = found.folder / "offline"
            folder.mkdir()
            found.registry.download(model, folder)
            offline = open_artifact(folder, tokenizers, threads=Settings().threads)
            expected = dict(zip(texts, offline(texts), strict=True))
            wrong += sum(not same(expected[answer.text], answer.scores) for answer in of_it)
            shutil.rmtree(folder)
    return wrong


def same(expected: Scores, found: dict[str, float]) -> bool:
    """Say whether two answers differ by no more than rounding."""
    pairs = [(score, found.get(label, -1.0)) for label, score in expected.items()]
    return all(abs(ours - theirs) <= SAME for ours, theirs in pairs)


def draw(axes: Axes, steady: Steady) -> None:
    """Draw which version answered when."""
    began = steady.answers[0].at
    axes.scatter(
        [answer.at - began for answer in steady.answers],
        [answer.version for answer in steady.answers],
        s=4,
    )
    axes.set_xlabel("seconds")
    axes.set_ylabel("version that answered (0: none)")


if __name__ == "__main__":
    sys.exit(main())
