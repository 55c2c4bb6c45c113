"""`model.yaml`, as BentoML 1.4 writes it: the one place that touches its private API."""

from pathlib import Path
from typing import Any

from models.identity import Tag
from models.manifest import Manifest
from registry.quiet import quiet

MODEL_YAML = "model.yaml"


def write_info(folder: Path, tag: Tag, manifest: Manifest) -> None:
    """Write what makes BentoML see a folder as a model; names language, version and digest.

    BentoML's public `bentoml.models.create` would copy the weights twice and let a half-written
    model be seen.
    """
    with quiet():  # its imports warn of its dependencies
        from bentoml import Tag as BentoTag  # noqa: PLC0415  (heavy)
        from bentoml._internal.models.model import ModelContext, ModelInfo  # noqa: PLC0415

    facts: dict[str, Any] = {
        "language": manifest.language,
        "version": str(tag.model.version),
        "digest": manifest.digest,
    }
    info = ModelInfo(
        tag=BentoTag(tag.name, tag.version),
        module="polysent",
        api_version="v1",
        signatures={},
        labels={"app": "polysent", "language": manifest.language, "digest": tag.digest},
        options={},
        metadata=facts | {"precision": manifest.precision, "base_model": manifest.base_model},
        context=ModelContext(framework_name="onnxruntime", framework_versions={}),
    )
    with (folder / MODEL_YAML).open("w", encoding="utf-8") as file:
        info.dump(file)
