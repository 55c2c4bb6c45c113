"""What the schemas of Kubernetes, and of the kinds that others add, say against a manifest."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
from jsonschema import Draft7Validator

SCHEMAS = Path(__file__).with_name("schemas")


def faults(manifest: dict[str, Any], version: str) -> Iterator[str]:
    """Yield what is wrong with it in a version such as `1.33`, unknown fields included."""
    kind = manifest["kind"]
    where = f"{kind} {manifest['metadata']['name']}"
    if (SCHEMAS / f"{kind}.json").exists():
        for error in _validator(kind).iter_errors(manifest):
            yield f"{where}: {error.json_path}: {error.message}"
        yield from _trigger_faults(where, manifest)
        return
    if fault := _core_fault(json.dumps(manifest, sort_keys=True), version):
        yield f"{where}: {fault}"


@cache
def _core_fault(manifest: str, version: str) -> str:
    """Say what is wrong with a manifest; most are the same in all sets of values."""
    try:
        kubernetes_validate.validate(json.loads(manifest), version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return str(error)
    return ""


def _trigger_faults(where: str, manifest: dict[str, Any]) -> Iterator[str]:
    """Yield what KEDA's schema leaves open: the parameters of each trigger."""
    known = json.loads((SCHEMAS / "keda-triggers.json").read_text("utf-8"))
    for trigger in manifest["spec"].get("triggers", ()):
        takes, given = known[trigger["type"]], set(trigger["metadata"])
        needed = {name for name, use in takes.items() if use == "required"}
        if wrong := (given - set(takes)) | (needed - given):
            yield f"{where}: {trigger['type']}: {', '.join(sorted(wrong))}"


@cache
def _validator(kind: str) -> Draft7Validator:
    return Draft7Validator(json.loads((SCHEMAS / f"{kind}.json").read_text("utf-8")))
