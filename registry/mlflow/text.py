"""What a person reads of an artifact in the MLflow UI."""

import re
from collections.abc import Iterator, Mapping

from models.certificate import Circumstances
from models.manifest import Manifest

DIGEST = "manifest.digest"
SHARE = "challenger.share"
SHADOW = "challenger.shadow"
"""Tags of the registered model: what the challenger gets."""


COMMIT = "code.commit"
"""Tag of a version and of its run: the code that made it."""
LONGEST_TAG = 4000


def digest_tag(version: int) -> str:
    """Return the tag of the registered model that holds the digest of one version."""
    return f"{DIGEST}.{version}"


def model_params(manifest: Manifest) -> dict[str, str]:
    """Return the facts of a LoggedModel."""
    return {
        "language": manifest.language,
        "covers": " ".join(manifest.covers)[:500],
        "labels": " ".join(manifest.labels)[:500],
        "max_tokens": str(manifest.max_tokens),
        "base_model": manifest.base_model,
        "precision": manifest.precision,
        "licence": manifest.licence,
        "training_data_digest": manifest.training_data_digest,
        "bytes": str(manifest.nbytes),
    }


def figures(manifest: Manifest) -> dict[str, float]:
    """Return the gate's figures, by the name of the metric; empty where there was no gate."""
    gate = manifest.gate
    if gate is None:
        return {}
    plain = gate.model_dump(exclude={"circumstances", "slices"})
    measured = {f"gate.{name}": value for name, value in plain.items()}
    for part in gate.slices:
        name = _metric(part.name)
        measured[f"gate.slice.{name}.agreement"] = part.agreement
        measured[f"gate.slice.{name}.accuracy"] = part.accuracy
    circumstances = gate.circumstances or Circumstances()
    measured |= {"gate.speed": circumstances.speed, "gate.seconds": circumstances.seconds}
    if circumstances.champion is not None:
        beside = circumstances.champion.model_dump(exclude={"digest"})
        measured |= {f"gate.champion.{name}": value for name, value in beside.items()}
    return dict(_numbers(measured))


def _numbers(measured: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    """Yield what is a number; an interval is two."""
    for name, value in measured.items():
        if isinstance(value, (int, float)):
            yield name, float(value)
        elif isinstance(value, tuple) and name.endswith("_interval"):
            yield f"{name.removesuffix('_interval')}.low", float(value[0])
            yield f"{name.removesuffix('_interval')}.high", float(value[1])


def _metric(name: str) -> str:
    """Return a name that MLflow takes for a metric."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-")


def version_tags(manifest: Manifest) -> dict[str, str]:
    """Return the tags of a version: its digest, its facts and the gate's verdict and figures."""
    gate = {name: f"{value:g}" for name, value in figures(manifest).items()}
    if manifest.gate is not None:
        gate["gate.texts_source"] = manifest.gate.texts_source
        gate["gate.data_digest"] = manifest.gate.data_digest
        gate["gate.reasons"] = "; ".join(manifest.gate.reasons) or "none"
    facts = {
        "base_model": manifest.base_model,
        "precision": manifest.precision,
        "licence": manifest.licence,
        "training_data_digest": manifest.training_data_digest,
    }
    return {DIGEST: manifest.digest} | facts | {name: cut(text) for name, text in gate.items()}


def cut(text: str) -> str:
    """Return as much of a text as MLflow takes for a tag."""
    return text[:LONGEST_TAG]
