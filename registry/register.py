"""The journey of one checkpoint: inspect, export, gate, MLflow version."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from models.artifact import open_artifact
from models.disk import locked
from models.errors import (
    ArtifactCorrupt,
    ExportFailed,
    GateRefused,
    ManifestInvalid,
    PolysentError,
)
from models.identity import registered_name
from models.manifest import NAME, Gate, Manifest
from models.tokens import Tokenizers
from registry.card import Card
from registry.checkpoint import Checkpoint, inspect
from registry.disk import replace as replace_file
from registry.disk import writing
from registry.export import export
from registry.gate import FLOOR, Evidence, Floor, measure, reasons
from registry.graph import PRECISION
from registry.hub import locate
from registry.progress import Say, silent
from registry.reference import Reference
from registry.source import Registered, Registry

TOOLS = ("onnx", "onnxruntime", "optimum", "optimum-onnx", "torch", "transformers")
RECIPE = 1
"""Raised when the exporter itself changes what it writes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checkpoint that is to become a version, and how it is judged."""

    source: str
    """A local directory, or a hub id where there is a hub."""
    card: Card
    evidence: Evidence
    labels: Mapping[str, str] = field(default_factory=dict)
    """Our name of each label that does not say what it means."""
    floor: Floor = FLOOR
    threads: int = 1
    """Cores that the gate's runs of the export may use."""


def register(
    candidate: Candidate, registry: Registry, exports: Path, say: Say = silent
) -> Registered:
    """Bring a checkpoint into the registry; the next call after an interruption goes on.

    CheckpointRefused, ExportFailed, GateRefused (before anything is registered),
    RegistryUnavailable. `exports` is the work folder; what is in it can be deleted at any time.
    """
    with _prepared(candidate, exports, say) as (folder, manifest):
        if manifest.gate is not None and manifest.gate.reasons:
            raise GateRefused(registered_name(manifest.language), manifest.gate.reasons)
        say(f"register {registered_name(manifest.language)}")
        return registry.register(folder, manifest)


def prepare(candidate: Candidate, exports: Path, say: Say = silent) -> tuple[Path, Manifest]:
    """Inspect, export and gate; return the artifact, whose gate says whether it may be registered.

    CheckpointRefused, ExportFailed.
    """
    with _prepared(candidate, exports, say) as prepared:
        return prepared


@contextmanager
def _prepared(candidate: Candidate, exports: Path, say: Say) -> Iterator[tuple[Path, Manifest]]:
    """Lend the gated artifact; no other process writes the exports of its language meanwhile."""
    say("inspect the checkpoint")
    checkpoint = inspect(locate(candidate.source), candidate.labels)
    folder = exports / candidate.card.language / export_key(checkpoint, candidate.card)
    with locked(exports / f"{candidate.card.language}.lock"):
        manifest = _usable(folder)
        if manifest is None:
            shutil.rmtree(folder, ignore_errors=True)
            manifest = export(checkpoint, candidate.card, folder, say)
        yield folder, _gated(manifest, folder, candidate, checkpoint, say)


def export_key(checkpoint: Checkpoint, card: Card) -> str:
    """Return a name for what would be exported: another source, card or tool, another name."""
    tools = {name: version(name) for name in TOOLS}
    read = asdict(replace(checkpoint, path=Path()))  # README.md and tokenizer_config.json tell too
    parts = [RECIPE, PRECISION, tools, read, asdict(card)]
    spelled = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(spelled.encode()).hexdigest()[:16]


def _usable(folder: Path) -> Manifest | None:
    try:
        manifest = Manifest.read(folder)
        manifest.verify(folder)
    except (ManifestInvalid, ArtifactCorrupt):
        return None
    return manifest


def _gated(
    manifest: Manifest, folder: Path, candidate: Candidate, checkpoint: Checkpoint, say: Say
) -> Manifest:
    """Return the manifest with the gate's verdict, which is also in the folder then."""
    evidence = candidate.evidence
    gate = manifest.gate
    if gate is None or gate.data_digest != evidence.digest:
        say(f"compare with fp32 on {len(evidence.texts) + len(evidence.labelled)} texts")
        gate = _measured(manifest, folder, candidate, checkpoint)
    verdict = {"reasons": reasons(gate, candidate.floor), "texts_source": evidence.source}
    gated = manifest.model_copy(update={"gate": gate.model_copy(update=verdict)})
    if gated != manifest:
        with writing(folder):
            replace_file(folder / NAME, gated.to_bytes())
    return gated


def _measured(
    manifest: Manifest, folder: Path, candidate: Candidate, checkpoint: Checkpoint
) -> Gate:
    """Run export and checkpoint on the evidence; ExportFailed where one of them gives up."""
    try:
        artifact = open_artifact(folder, Tokenizers(), candidate.threads)
        reference = Reference(checkpoint, manifest.max_tokens)
        return measure(artifact, reference, candidate.evidence)
    except PolysentError:
        raise
    except Exception as error:  # each library below fails in its own way
        message = f"{checkpoint.path} could not be compared: {type(error).__name__}: {error}"
        raise ExportFailed(message) from error
