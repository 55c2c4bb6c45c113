"""Builds what is missing of the demo fleet: `python -m cli.fleet`, the child of `up`."""

import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cli.events import SOME_FAILED, Event
from models.disk import locked
from models.errors import RegistryError
from models.identity import ModelId
from models.routes import Routes
from models.settings import Settings, read_settings
from models.store import Store
from registry.candidate import Candidate
from registry.card import Card
from registry.gate.evidence import Evidence
from registry.mlflow.source import MLflowRegistry
from registry.progress import Say
from registry.promote import promote
from registry.register import register
from registry.source import Promoted, Registered, Registry, champions
from registry.syncing.plan import is_of
from registry.syncing.sync import sync
from training import fleet, texts

RUNGS = ("int8-rows", "int8-tokens", "int8-tokens-c32", "int8-tokens-d32", "fp32")
"""What the demo's encoder is tried in; full dynamic int8 fails the gate in every language."""


def main() -> int:
    """Bring each language to a champion that is served; return how many could not be."""
    settings = read_settings()
    with locked(settings.home / "fleet.lock"):
        registry = MLflowRegistry(settings.mlflow_uri)
        return Builder(settings, registry, Store.default(), candidate).build(fleet.languages())


def candidate(language: str, settings: Settings, say: Say) -> Candidate:
    """Return the demo checkpoint of a language, built unless it is there, and how it is judged."""
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
    return Candidate(str(checkpoint), card, evidence, threads=settings.threads, rungs=RUNGS)


@dataclass(frozen=True, slots=True)
class Builder:
    """Brings languages to a champion that is served, the only one to do so in a home.

    Whoever promotes a version of a language, before or meanwhile, is not overruled.
    """

    settings: Settings
    registry: Registry
    store: Store
    make: Callable[[str, Settings, Say], Candidate]

    def build(self, languages: tuple[str, ...]) -> int:
        """Tell events of each language; return how many are not served. Raises nothing."""
        for language in languages:
            Event(language, "pending").tell()
        served = self._synced()
        return sum(not self._serve(language, served) for language in languages)

    def _synced(self) -> Mapping[str, ModelId]:
        """Serve what is promoted already; a failure is met again, language by language."""
        try:
            if champions(self.registry):
                sync(self.registry, self.store)
                return self._served()
        except Exception:  # noqa: BLE001  (the builder goes on)
            traceback.print_exc()
        return {}

    def _serve(self, language: str, served: Mapping[str, ModelId]) -> bool:
        if language in served:
            Event(language, "served").tell()
            return True
        try:
            model = self._brought(language)
        except Exception as error:  # noqa: BLE001  (one language must not end the others)
            traceback.print_exc()
            Event(language, "failed", str(error) or type(error).__name__).tell()
            return False
        Event(language, "served", str(model)).tell()
        return True

    def _brought(self, language: str) -> ModelId:
        """Return the champion that serves now; RegistryError where there is none."""

        def say(step: str) -> None:
            Event(language, "working", step).tell()

        wanted = self.make(language, self.settings, say)
        done = register(wanted, self.registry, self.settings.home / "exports", say)
        if may_promote(champions(self.registry).get(language), done):
            promote(self.registry, language, done.model.version)
        report = sync(self.registry, self.store, say)
        for failure in report.failed:
            if failure.model.language == language:
                raise RegistryError(failure.reason)
        return self._served().get(language, done.model)

    def _served(self) -> Mapping[str, ModelId]:
        """Return the champions that have the route of their language."""
        routes = Routes.read(self.store.routes).languages
        return {
            language: champion.model
            for language, champion in champions(self.registry).items()
            if language in routes and is_of(routes[language].champion, champion)
        }


def may_promote(champion: Promoted | None, done: Registered) -> bool:
    """Return whether the demo model may take the alias: nobody has it, or its own lost files."""
    return champion is None or (done.new and champion.digest == done.digest)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(SOME_FAILED if main() else 0)
