"""One OpenAPI document for BentoML's endpoints and those beside them."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from http import HTTPStatus
from typing import Any

import bentoml
from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from models import errors
from serving.http import bulk
from serving.http.access import PROBES
from serving.http.problems import MEDIA_TYPE
from serving.http.spoken import ANSWER, ANY, KEY, LANGUAGE, REFUSAL, REQUEST, ROUTED, SCHEMES
from serving.http.stream import Stream
from serving.result import (
    Answers,
    Item,
    ItemPrediction,
    LineProblem,
    Prediction,
    Problem,
    Question,
    Questions,
)

SCHEMAS = "#/components/schemas/"
JSON = "application/json"
BODIES: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "/predict": (Question, Prediction),
    "/predict/{language}": (Question, Prediction),
    "/predict_batch": (Questions, Answers),
}
"""What BentoML's endpoints take and give."""

LINES = (Item, ItemPrediction, LineProblem)
KNOWN = (401, 403, 429)
"""How it is answered who may not ask, or not now."""
POSTED = (400, 404, 405, 408, 413, 415, 422, 429, 500, 503, 504)
GOT = (400, 404, 405, 500, 503, 504)
UNSAID = ("HTTPValidationError", "ValidationError")
"""FastAPI's shape of an error, which never leaves."""

Json = dict[str, Any]


@cache
def merged(service: "bentoml.Service[Any]", app: FastAPI) -> Json:
    """Return the document: FastAPI's and BentoML's, with our bodies, headers and problems."""
    document: Json = deepcopy(app.openapi())
    document["info"] = {
        "title": "Polysent",
        "version": "1",
        "description": service.inner.__doc__ or "",
    }
    theirs: Json = service.openapi_spec.asdict()["paths"]
    document["paths"] = theirs | document["paths"]
    for path, (question, answer) in BODIES.items():
        _speak(document["paths"][path]["post"], {JSON: _ref(question)}, {JSON: _ref(answer)})
    either = {"anyOf": [_ref(ItemPrediction), _ref(LineProblem)]}
    _speak(
        document["paths"][bulk.PATH]["post"],
        dict.fromkeys(bulk.MEDIA_TYPES, _lines(_ref(Item))),
        {Stream.media_type: _lines(either)},
    )
    for path, method, operation in _operations(document["paths"]):
        _surround(path, method, operation)
    schemas = document["components"]["schemas"]
    for name in UNSAID:
        schemas.pop(name, None)
    schemas |= _definitions()
    document["components"]["securitySchemes"] = SCHEMES
    return document


def _definitions() -> Json:
    taken: list[tuple[type[BaseModel], JsonSchemaMode]]
    taken = [(question, "validation") for question in (Question, Questions, Item)]
    given: list[tuple[type[BaseModel], JsonSchemaMode]]
    given = [(each, "serialization") for each in (Prediction, Answers, *LINES[1:], Problem)]
    _, schema = models_json_schema([*taken, *given], ref_template=SCHEMAS + "{model}")
    definitions: Json = schema["$defs"]
    return definitions


def _operations(paths: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in paths.items():
        for method, operation in item.items():
            yield path, method, operation


def _speak(operation: Json, question: Json, answer: Json) -> None:
    """Put schemas, by media type, into a BentoML or a streaming operation."""
    operation["requestBody"] = {"required": True, "content": _content(question)}
    operation["responses"] = {
        "200": {"description": "Successful Response", "content": _content(answer)}
    }


def _surround(path: str, method: str, operation: Json) -> None:
    """Add what holds everywhere: the headers, and the answers that are problems."""
    text = method == "post" and "security" not in operation
    named = [LANGUAGE] if path == "/predict/{language}" else operation.get("parameters", [])
    operation["parameters"] = [*named, *([ROUTED, KEY] if text else []), *REQUEST]
    answers = {
        code: answer | {"headers": ANSWER}
        for code, answer in operation["responses"].items()
        if int(code) < HTTPStatus.BAD_REQUEST
    }
    usual: tuple[int, ...] = POSTED if method == "post" else GOT
    if path not in PROBES:
        operation.setdefault("security", ANY)
        usual += KNOWN
    refusals = {str(status): _refusal(status) for status in (*usual, *_declared(operation))}
    operation["responses"] = answers | refusals


def _declared(operation: Json) -> list[int]:
    """Return what else a route refuses by its own account, not by FastAPI's."""
    theirs = "Validation Error"
    responses: Json = operation["responses"]
    return [
        int(code)
        for code, answer in responses.items()
        if int(code) >= HTTPStatus.BAD_REQUEST and answer["description"] != theirs
    ]


def _refusal(status: int) -> Json:
    titles = sorted(
        {
            error.title
            for error in _tree(errors.PolysentError)
            if error.status == status and not issubclass(error, errors.RegistryError)
        }
    )
    return {
        "description": "; ".join(titles),
        "headers": ANSWER | REFUSAL.get(status, {}),
        "content": _content({MEDIA_TYPE: _ref(Problem)}),
    }


def _content(schemas: Json) -> Json:
    return {media_type: {"schema": schema} for media_type, schema in schemas.items()}


def _lines(schema: Json) -> Json:
    """Return the schema of all lines together, as OpenAPI 3.2 reads it for such media types."""
    return {"type": "array", "items": schema, "description": "One a line, not in brackets."}


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": SCHEMAS + model.__name__}


def _tree(root: type[errors.PolysentError]) -> list[type[errors.PolysentError]]:
    return [root, *(found for child in root.__subclasses__() for found in _tree(child))]
