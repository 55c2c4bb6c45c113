"""What does a sync cost over fifty models, when nothing has moved and when one alias has?

A real MLflow server; the fifty share the bytes of one by hard links, so that they fit on a disk:
what a sync does with them depends on how many there are, not on what is in them.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.axes import Axes

from benchmarks.fleet import LANGUAGES, prototype, roll
from benchmarks.options import Options, read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import free_port, running
from cli import servers
from models.engine import form, prepacked
from models.identity import ModelId, Tag
from models.manifest import NAME, WEIGHTS, File, Gate, Manifest
from models.settings import Settings
from models.store import Store
from registry.mlflow.source import MLflowRegistry
from registry.syncing.plan import DIGITS
from registry.syncing.store import StoreWriter
from registry.syncing.sync import Report, sync

MODELS = 50
CHANGED = "de"
MADE_UP = Gate(
    texts=200,
    texts_source="none: random weights",
    agreement=1.0,
    mean_score_change=0.0,
    data_digest="0" * 64,
)


def main() -> int:
    """Measure, print, keep."""
    options = read(__doc__)
    folder = options.home / "benchmarks" / "syncing"
    shutil.rmtree(folder, ignore_errors=True)
    idle: list[float] = []
    moved: list[float] = []
    fetched: list[float] = []
    idle_bytes = 0
    with registry_of(folder) as registry:
        store = Store(folder / "bentoml")
        nbytes = fill(options, folder, registry, store)
        report, _ = timed(registry, store)
        if len(report.unchanged) != MODELS:
            raise RuntimeError(report)
        for number in range(2, 2 + options.rounds):
            report, seconds = timed(registry, store)
            idle.append(seconds)
            idle_bytes += report.nbytes
            promote_another(options, folder, registry, number)
            report, seconds = timed(registry, store)
            moved.append(seconds)
            fetched.append(float(len(report.synced)))
    shutil.rmtree(folder)
    result = Result(
        name="syncing",
        question="What does a sync cost over fifty models?",
        setup={"model": options.shape, "models": MODELS, "bytes of each": nbytes},
        claims=(
            Claim("seconds of a sync with nothing to do", tuple(idle), "at most", 1.0, " s"),
            Claim("bytes it fetched", (float(idle_bytes),), "at most", 0),
            Claim("models fetched for one alias that moved", tuple(fetched), "at most", 1),
        ),
        beside={"seconds of a sync after one alias moved": moved},
    )
    return finish(result, options, lambda axes: draw(axes, idle, moved))


@contextmanager
def registry_of(folder: Path) -> Iterator[MLflowRegistry]:
    """Run an MLflow server whose artifacts lie below a folder."""
    settings = Settings(home=folder, mlflow_uri=f"http://127.0.0.1:{free_port()}")
    with running(servers.mlflow(settings), f"{settings.mlflow_uri}/health"):
        yield MLflowRegistry(settings.mlflow_uri)


def fill(options: Options, folder: Path, registry: MLflowRegistry, store: Store) -> int:
    """Register and store the champions; return the bytes of one."""
    writer, nbytes, first = StoreWriter(store), 0, None
    model = prototype(options, options.precision)
    for language in LANGUAGES[:MODELS]:
        made = folder / "made" / language
        linked(model, made)
        manifest = described(made, language)
        registered(registry, folder, made, manifest)
        registry.promote(ModelId(language, 1), "champion")
        staged = store.home / "staging" / language
        linked(made, staged)
        tag = Tag(ModelId(language, 1), manifest.digest[:DIGITS])
        writer.publish(staged, tag)
        first = form_of(first, writer, store, tag)
        nbytes = manifest.nbytes
    return nbytes


def form_of(first: Path | None, writer: StoreWriter, store: Store, tag: Tag) -> Path:
    """Prepack the first model, and link its form for another of the same bytes."""
    if first is None:
        return prepacked.make(store.path(tag), store.home)
    digest = writer.manifest(tag).digest
    place = prepacked.derived(store.home, digest)
    linked(first, place)
    (place / form.NAME).unlink()
    form.Form.read(first).model_copy(update={"source": digest}).write(place)
    return first


def promote_another(options: Options, folder: Path, registry: MLflowRegistry, number: int) -> None:
    """Give one language a champion with weights of its own."""
    made = folder / "made" / f"{CHANGED}-{number}"
    shutil.copytree(prototype(options, options.precision), made)
    roll(made, number)
    manifest = described(made, CHANGED, File.of(made / WEIGHTS))
    model = registry.register(made, manifest).model
    registry.promote(model, "champion")
    shutil.rmtree(made)


def described(made: Path, language: str, weights: File | None = None) -> Manifest:
    """Write and return the manifest of a clone for a language, with weights of its own."""
    old = Manifest.read(made)
    files = old.files | ({WEIGHTS: weights} if weights else {})
    update = {"language": language, "gate": MADE_UP, "files": files}
    manifest = old.model_copy(update=update)
    (made / NAME).unlink()
    manifest.write(made)
    return manifest


def registered(registry: MLflowRegistry, folder: Path, made: Path, manifest: Manifest) -> None:
    """Register a version with the manifest alone; link the rest beside it in MLflow's folder."""
    bare = folder / "bare"
    shutil.rmtree(bare, ignore_errors=True)
    bare.mkdir()
    manifest.write(bare)
    before = set((folder / "mlflow" / "artifacts").rglob(NAME))
    registry.register(bare, manifest)
    (place,) = set((folder / "mlflow" / "artifacts").rglob(NAME)) - before
    linked(made, place.parent)


def linked(source: Path, target: Path) -> None:
    """Link every file into a folder where it is not."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if not (target / file.name).exists():
            os.link(file, target / file.name)


def timed(registry: MLflowRegistry, store: Store) -> tuple[Report, float]:
    """Sync once; return what it did, and the seconds that it took."""
    began = time.perf_counter()
    report = sync(registry, store)
    return report, time.perf_counter() - began


def draw(axes: Axes, idle: list[float], moved: list[float]) -> None:
    """Draw both, round by round."""
    axes.bar([place - 0.2 for place in range(len(idle))], idle, 0.4, label="nothing to do")
    axes.bar([place + 0.2 for place in range(len(moved))], moved, 0.4, label="one alias moved")
    axes.set_xlabel("round")
    axes.set_ylabel("seconds of a sync")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
