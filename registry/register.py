"""The journey of one checkpoint: inspect, export, gate, MLflow version."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from models.artifact import open_artifact
from models.errors import ArtifactCorrupt, GateRefused, ManifestInvalid
from models.identity import registered_name
from models.manifest import Manifest
from models.tokens import Tokenizers
from registry.card import Card
from registry.checkpoint import Checkpoint, inspect
from registry.export import export
from registry.gate import FLOOR, Evidence, Floor, measure, reasons
from registry.graph import PRECISION
from registry.hub import locate
from registry.lock import locked
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
    folder, manifest = prepare(candidate, exports, say)
    say(f"register {registered_name(manifest.language)}")
    return registry.register(folder, manifest)


def prepare(candidate: Candidate, exports: Path, say: Say = silent) -> tuple[Path, Manifest]:
    """Inspect, export and gate; return the artifact that may be registered."""
    say("inspect the checkpoint")
    checkpoint = inspect(locate(candidate.source), candidate.labels)
    folder = exports / candidate.card.language / export_key(checkpoint, candidate.card)
    with locked(exports / f"{candidate.card.language}.lock"):
        manifest = _usable(folder) or export(checkpoint, candidate.card, folder, say)
        gated = _gated(manifest, folder, candidate, checkpoint, say)
    if gated.gate is not None and gated.gate.reasons:
        raise GateRefused(registered_name(gated.language), gated.gate.reasons)
    return folder, gated


def export_key(checkpoint: Checkpoint, card: Card) -> str:
    """Return a name for what would be exported: another source, card or tool, another name."""
    tools = {name: version(name) for name in TOOLS}
    parts = [RECIPE, PRECISION, tools, checkpoint.digest, checkpoint.unified, asdict(card)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


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
    if manifest.gate is None or manifest.gate.data_digest != evidence.digest:
        say(f"compare with fp32 on {len(evidence.texts) + len(evidence.labelled)} texts")
        artifact = open_artifact(folder, Tokenizers(), candidate.threads)
        gate = measure(artifact, Reference(checkpoint, manifest.max_tokens), evidence)
    else:
        gate = manifest.gate
    verdict = gate.model_copy(update={"reasons": reasons(gate, candidate.floor)})
    gated = manifest.model_copy(update={"gate": verdict})
    gated.write(folder)
    return gated
