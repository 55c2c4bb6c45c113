"""Builds what is missing of the demo fleet: `python -m cli.fleet`, the child of `up`."""

import signal
import sys

from cli.events import Event
from models.errors import PolysentError
from models.settings import Settings, read_settings
from models.store import Store
from registry.card import Card
from registry.gate import Evidence
from registry.lock import locked
from registry.mlflow_source import MLflowRegistry
from registry.progress import Say
from registry.promote import promote
from registry.register import Candidate, register
from registry.source import Registry
from registry.sync import sync
from training import fleet, texts


def main() -> int:
    """Bring each language to a champion that is served; return how many could not be."""
    settings = read_settings()
    with locked(settings.home / "fleet.lock"):
        return build(settings)


def build(settings: Settings) -> int:
    """Do it, the only one to do so in this home."""
    registry = MLflowRegistry(settings.mlflow_uri)
    store = Store.default()
    languages = fleet.languages()
    for language in languages:
        Event(language, "pending").tell()
    failed = 0
    present = registry.champions()
    if present:
        sync(registry, store)
    for language in languages:
        if language in present:
            Event(language, "served").tell()
        else:
            failed += not _serve(language, settings, registry, store)
    return failed


def _serve(language: str, settings: Settings, registry: Registry, store: Store) -> bool:
    def say(step: str) -> None:
        Event(language, "working", step).tell()

    try:
        candidate = _candidate(language, settings, say)
        done = register(candidate, registry, settings.home / "exports", say)
        promote(registry, language, done.model.version)
        report = sync(registry, store, say)
    except PolysentError as error:
        Event(language, "failed", str(error)).tell()
        return False
    reasons = [failure.reason for failure in report.failed if failure.model == done.model]
    if reasons:
        Event(language, "failed", reasons[0]).tell()
    else:
        Event(language, "served", str(done.model)).tell()
    return not reasons


def _candidate(language: str, settings: Settings, say: Say) -> Candidate:
    say("build the checkpoint")
    checkpoint = fleet.build(language, settings.home, say)
    card = Card(
        language,
        covers=fleet.covers(language),
        training_data_digest=fleet.data_digest(language),
        licence="MIT",
        base_model="intfloat/multilingual-e5-small",
    )
    evidence = Evidence(tuple(texts.unlabelled(language, settings.home)), texts.SOURCE)
    return Candidate(str(checkpoint), card, evidence, threads=settings.threads)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
