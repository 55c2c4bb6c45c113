"""One OpenAPI document for BentoML's endpoints and those beside them."""

from http import HTTPStatus
from typing import Any

import bentoml

from models import errors
from serving.problems import MEDIA_TYPE
from serving.result import Problem

REFUSALS = (400, 404, 405, 413, 415, 422, 429, 500, 503, 504)
HEADER = {
    "name": "X-Language",
    "in": "header",
    "description": "The language once more, where a load balancer can see it; must agree.",
    "schema": {"type": "string", "examples": ["de"]},
}
PATH = {
    "name": "language",
    "in": "path",
    "required": True,
    "description": "BCP-47 tag of the text's language.",
    "schema": {"type": "string", "examples": ["de"]},
}


def merged(service: "bentoml.Service[Any]") -> dict[str, Any]:
    """Return the document: BentoML's own, with our errors and the parameters that it can't know."""
    document: dict[str, Any] = service.openapi_spec.asdict()
    document["openapi"] = "3.1.0"
    document["info"] |= {
        "title": "Polysent",
        "description": service.inner.__doc__ or "",
        "contact": {"name": "Polysent"},
    }
    schemas = document["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema()
    for path, item in document["paths"].items():
        operation = item.get("post")
        if operation is None or not path.startswith("/predict"):
            continue
        operation["parameters"] = [HEADER, *([PATH] if "{language}" in path else [])]
        answers = {
            code: answer
            for code, answer in operation["responses"].items()
            if int(code) < HTTPStatus.BAD_REQUEST
        }
        operation["responses"] = answers | {str(status): _refusal(status) for status in REFUSALS}
    return document


def _refusal(status: int) -> dict[str, Any]:
    titles = sorted(
        {error.title for error in _tree(errors.PolysentError) if error.status == status}
    )
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "; ".join(titles), "content": {MEDIA_TYPE: {"schema": schema}}}


def _tree(root: type[errors.PolysentError]) -> list[type[errors.PolysentError]]:
    return [root, *(found for child in root.__subclasses__() for found in _tree(child))]
