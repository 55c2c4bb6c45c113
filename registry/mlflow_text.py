"""What a person reads of an artifact in the MLflow UI."""

from models.manifest import Manifest

DIGEST = "manifest.digest"
SHARE = "challenger.share"
SHADOW = "challenger.shadow"
"""Tags of the registered model: what the challenger gets."""


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
    measured = {
        "gate.texts": gate.texts,
        "gate.agreement": gate.agreement,
        "gate.mean_score_change": gate.mean_score_change,
        "gate.labelled": gate.labelled,
        "gate.accuracy": gate.accuracy,
        "gate.accuracy_fp32": gate.accuracy_fp32,
    }
    return {name: float(value) for name, value in measured.items() if value is not None}


def version_tags(manifest: Manifest) -> dict[str, str]:
    """Return the tags of a version: its digest, its facts and the gate's figures."""
    gate = {name: f"{value:g}" for name, value in figures(manifest).items()}
    if manifest.gate is not None:
        gate["gate.texts_source"] = manifest.gate.texts_source
        gate["gate.data_digest"] = manifest.gate.data_digest
    facts = {
        "base_model": manifest.base_model,
        "precision": manifest.precision,
        "licence": manifest.licence,
        "training_data_digest": manifest.training_data_digest,
    }
    return {DIGEST: manifest.digest} | facts | gate
