"""The journey of one checkpoint: inspect, export, gate, MLflow version."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from models.disk import locked
from models.errors import GateRefused
from models.identity import registered_name
from models.manifest import Manifest
from registry.candidate import Candidate
from registry.card import Card
from registry.checkpoints.checkpoint import Checkpoint, inspect
from registry.checkpoints.hub import locate
from registry.gate.champion import contest
from registry.gate.trial import Trial
from registry.gate.verdict import reasons
from registry.progress import Say, silent
from registry.source import Registered, Registry
from registry.work import Work

TOOLS = ("onnx", "onnxruntime", "optimum", "optimum-onnx", "torch", "transformers")
RECIPE = 3
"""Raised when the exporter itself changes what it writes."""


def register(
    candidate: Candidate, registry: Registry, exports: Path, say: Say = silent
) -> Registered:
    """Bring a checkpoint into the registry; the next call after an interruption goes on.

    CheckpointRefused, ExportFailed, GateRefused (before anything is registered),
    RegistryUnavailable. `exports` is the work folder; what is in it can be deleted at any time.
    """
    with _prepared(candidate, exports, say, registry) as (folder, manifest):
        if manifest.gate is not None and manifest.gate.reasons:
            raise GateRefused(registered_name(manifest.language), manifest.gate.reasons)
        say(f"register {registered_name(manifest.language)}")
        return registry.register(folder, manifest)


def prepare(
    candidate: Candidate, exports: Path, say: Say = silent, registry: Registry | None = None
) -> tuple[Path, Manifest]:
    """Inspect, export and gate; return the artifact, whose gate says whether it may be registered.

    With a registry it is compared with the champion too. CheckpointRefused, ExportFailed,
    RegistryUnavailable.
    """
    with _prepared(candidate, exports, say, registry) as prepared:
        return prepared


@contextmanager
def _prepared(
    candidate: Candidate, exports: Path, say: Say, registry: Registry | None
) -> Iterator[tuple[Path, Manifest]]:
    """Lend the gated artifact; no other process writes the exports of its language meanwhile."""
    say("inspect the checkpoint")
    checkpoint = inspect(locate(candidate.source), candidate.labels)
    work = Work(exports / candidate.card.language / export_key(checkpoint, candidate.card))
    with locked(exports / f"{candidate.card.language}.lock"):
        work.forget_others()
        trial = Trial(candidate, checkpoint, work, say)
        yield _gated(trial, registry)


def _gated(trial: Trial, registry: Registry | None) -> tuple[Path, Manifest]:
    """Return the artifact in the form that was chosen, and its manifest with the whole verdict."""
    choice = trial.choose()
    gate, circumstances = trial.judge(choice.rung), choice.circumstances
    if registry is not None and not gate.reasons:
        circumstances = contest(trial, choice.rung, registry, circumstances)
    gate = gate.model_copy(update={"circumstances": circumstances})
    manifest = trial.made[choice.rung]
    found = reasons(gate, trial.candidate.floor, nbytes=manifest.nbytes)
    gate = gate.model_copy(update={"reasons": found})
    manifest = manifest.model_copy(update={"gate": gate})
    trial.work.keep(choice.rung, manifest)
    return trial.work.rung(choice.rung), manifest


def export_key(checkpoint: Checkpoint, card: Card) -> str:
    """Return a name for what would be exported: another source, card or tool, another name."""
    tools = {name: version(name) for name in TOOLS}
    read = asdict(replace(checkpoint, path=Path()))  # README.md and tokenizer_config.json tell too
    parts = [RECIPE, tools, read, asdict(card)]
    spelled = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(spelled.encode()).hexdigest()[:16]
