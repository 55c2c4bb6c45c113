"""Makes schemas/cloud-run.json and schemas/vertex.json out of Google's descriptions of its APIs.

They come with the package google-api-python-client (Apache-2.0), too large to install for that:

    pip download --no-deps google-api-python-client
    python tests/deploy/discovery.py google_api_python_client-*.whl
"""

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).with_name("schemas")
DOCUMENTS = "googleapiclient/discovery_cache/documents"
VERTEX = "GoogleCloudAiplatformV1"
WANTED = {
    "cloud-run": ("run.v1", ("Service",)),
    "vertex": ("aiplatform.v1", (f"{VERTEX}UploadModelRequest", f"{VERTEX}DeployModelRequest")),
}
KEPT = {"type", "items", "additionalProperties", "enum", "$ref", "properties", "format"}
Json = dict[str, Any]


def schema(document: Json, roots: tuple[str, ...]) -> Json:
    """Return a JSON Schema of these types and all that they need, with no key beside theirs."""
    found: dict[str, Json] = {}
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = strict(document["schemas"][name])
            todo += references(document["schemas"][name])
    return {"source": f"{document['id']} of {document['revision']}", "$defs": found}


def strict(plain: Any) -> Any:  # noqa: ANN401  (JSON)
    """Return a type without its prose; what has properties has no others."""
    if not isinstance(plain, dict):
        return plain
    kept: Json = {key: strict(value) for key, value in plain.items() if key in KEPT}
    if "$ref" in kept:
        return {"$ref": f"#/$defs/{kept['$ref']}"}
    if kept.get("type") == "any":
        return {}
    if "properties" in plain:
        kept["properties"] = {name: strict(value) for name, value in plain["properties"].items()}
        kept["additionalProperties"] = False
    return kept


def references(plain: Any) -> Iterator[str]:  # noqa: ANN401  (JSON)
    """Yield the names of the types that a type needs."""
    if isinstance(plain, dict):
        if isinstance(name := plain.get("$ref"), str):
            yield name
        for value in plain.values():
            yield from references(value)


def main(wheel: str) -> None:
    """Write the files."""
    with zipfile.ZipFile(wheel) as package:
        for name, (api, roots) in WANTED.items():
            document = json.loads(package.read(f"{DOCUMENTS}/{api}.json"))
            made = json.dumps(schema(document, roots), separators=(",", ":"), sort_keys=True)
            (SCHEMAS / f"{name}.json").write_text(made + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
