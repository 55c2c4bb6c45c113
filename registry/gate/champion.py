"""The champion of the day, fetched to stand beside a new version."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.artifact import open_artifact
from models.certificate import Circumstances, Comparison
from models.errors import PolysentError
from models.manifest import Manifest
from models.tokens import Tokenizers
from registry.disk import writing
from registry.gate.comparison import Rival, comparison
from registry.gate.timing import interleaved, sample
from registry.gate.trial import Trial
from registry.source import Aliases, Promoted, Registry


def contest(trial: Trial, rung: str, registry: Registry, told: Circumstances) -> Circumstances:
    """Return what is `told` of a rung, with its comparison with the champion; RegistryUnavailable.

    A champion that can't be had, or does not answer, is no reason against its successor: the
    circumstances say that it was not compared, and why.
    """
    manifest = trial.made[rung]
    champion = registry.aliases().get(manifest.language, Aliases()).champion
    if champion is None or champion.digest == manifest.digest:
        return told
    if (known := _known(manifest, champion)) is not None:
        return told.model_copy(update={"champion": known})
    trial.say(f"compare with the champion, {champion.model}")
    try:
        with fetched(registry, champion, trial.work.champion) as folder:
            compared = _compared(trial, rung, champion, folder)
    except Exception as error:  # noqa: BLE001  (what is broken is not the new version)
        why = str(error) if isinstance(error, PolysentError) else f"{type(error).__name__}: {error}"
        trial.say(f"not compared with {champion.model}: {why}")
        return told.model_copy(update={"no_champion": f"{champion.model}: {why}"})
    return told.model_copy(update={"champion": compared})


@contextmanager
def fetched(registry: Registry, promoted: Promoted, folder: Path) -> Iterator[Path]:
    """Lend the verified files of a version; RegistryUnavailable, ArtifactCorrupt, StoreFailed."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with writing(folder):
            folder.mkdir(parents=True)
            registry.download(promoted.model, folder)
        Manifest.read(folder).verify(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _known(manifest: Manifest, champion: Promoted) -> Comparison | None:
    """Return an earlier comparison with the same champion, on the same evidence."""
    circumstances = manifest.gate and manifest.gate.circumstances
    earlier = circumstances and circumstances.champion
    return earlier if earlier and earlier.digest == champion.digest else None


def _compared(trial: Trial, rung: str, champion: Promoted, folder: Path) -> Comparison:
    evidence, old = trial.candidate.evidence, Manifest.read(folder)
    ours = trial.open(rung)
    theirs = open_artifact(folder, Tokenizers(), trial.candidate.threads)
    new = trial.answers.get(rung) or evidence.ask(ours)
    rival = Rival(
        version=champion.model.version,
        digest=old.digest,
        answers=evidence.ask(theirs),
        size=trial.made[rung].nbytes / old.nbytes,
        speed=interleaved(ours, theirs, sample(evidence.texts)).speed,
    )
    return comparison(rival, evidence, new)
