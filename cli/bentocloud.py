"""What a BentoCloud deployment file says, checked more strictly than bentoml does.

bentoml drops misspelt keys without a word, turns `"no"` into true, and takes a strategy or a
weight that does not exist. Its own schema classes (1.4, private) say what there is to say.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from _bentoml_sdk.service.config import validate as service_config
from bentoml._internal.cloud.schemas.modelschemas import DeploymentStrategy
from bentoml._internal.cloud.schemas.schemasv2 import CreateDeploymentSchema
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)
from pydantic import ValidationError

from cli.variables import unknown, wrong_variables

SERVICE = "polysent"
"""The one service of the Bento (service.py)."""
NEEDED = ("name", "bento", "cluster")
LONGEST_WINDOW = 3600
"""Seconds of a stabilization window, at most (BentoCloud's documentation)."""
BEHAVIOURS = {"fast", "stable", "disabled"}

_STRICT = Converter(forbid_extra_keys=True)

Plain = Mapping[str, Any]


def problems(plain: object) -> list[str]:
    """Return everything that is wrong with a file, as read from YAML, each with its place."""
    if not isinstance(plain, dict):
        return ["$: a deployment is a mapping"]
    if odd := list(_odd_keys(plain, "$")):
        return odd
    missing = [f"$.{key}: is needed" for key in NEEDED if not plain.get(key)]
    body = {"bento": "", **{key: value for key, value in plain.items() if key != "cluster"}}
    try:
        read = _STRICT.structure(body, CreateDeploymentSchema)
    except BaseValidationError as error:
        return [*missing, *_misread(error, "$")]
    sent = _STRICT.unstructure(read)
    return [*missing, *_changed(body, sent, "$"), *_senseless(plain)]


def _odd_keys(plain: object, place: str) -> Iterator[str]:
    """Yield keys that YAML takes for numbers or, as `on` and `no`, for true and false."""
    items = plain.items() if isinstance(plain, dict) else ()
    for key, value in enumerate(plain) if isinstance(plain, list) else items:
        if isinstance(plain, dict) and not isinstance(key, str):
            yield f"{place}: no such key: {key}"
        yield from _odd_keys(value, f"{place}.{key}")


def _misread(error: Exception, place: str) -> Iterator[str]:
    """Yield what bentoml's schema does not know, or reads as nothing."""
    if isinstance(error, ClassValidationError | IterableValidationError):
        noted, other = error.group_exceptions()
        for each, note in noted:
            at = note.name if isinstance(note, AttributeValidationNote) else note.index
            yield from _misread(each, f"{place}.{at}")
        for each in other:
            yield from _misread(each, place)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)]
        for name in sorted(error.extra_fields):
            yield f"{place}: {unknown(name, known)}"
    else:
        yield f"{place}: " + ("is needed" if isinstance(error, KeyError) else str(error))


def _changed(given: object, sent: object, place: str) -> Iterator[str]:
    """Yield what bentoml would send otherwise than it is written, or not at all."""
    if isinstance(given, dict) and isinstance(sent, dict):
        for key, value in given.items():
            yield from _changed(value, sent.get(key), f"{place}.{key}")
    elif isinstance(given, list) and isinstance(sent, list):
        for i, (value, other) in enumerate(zip(given, sent, strict=True)):
            yield from _changed(value, other, f"{place}.{i}")
    elif given != sent or isinstance(given, bool) is not isinstance(sent, bool):
        yield f"{place}: {given!r} would be sent as {sent!r}"


def _senseless(plain: Plain) -> Iterator[str]:
    """Yield what has the right form and can't be meant."""
    if ":" not in str(plain.get("bento", ":")):
        yield f"$.bento: a tag name:version, not {plain['bento']!r}"
    yield from _target(plain, "$")
    canary = plain.get("canary") or {}
    versions: Mapping[str, Plain] = canary.get("versions") or {}
    weights = [version.get("weight") or 0 for version in versions.values()]
    if sum(weights) > 100 or any(weight < 0 for weight in weights):  # noqa: PLR2004  (percent)
        yield "$.canary.versions: the weights are percentages of all requests"
    for name, version in versions.items():
        yield from _target(version, f"$.canary.versions.{name}")


def _target(target: Plain, place: str) -> Iterator[str]:
    yield from _environment(target, f"{place}.envs")
    services: Mapping[str, Plain] = target.get("services") or {}
    if services.keys() != {SERVICE}:
        yield f"{place}.services: there is one, {SERVICE!r}"
    for name, service in services.items():
        yield from _service(service, f"{place}.services.{name}")


def _service(service: Plain, place: str) -> Iterator[str]:
    strategies = [strategy.value for strategy in DeploymentStrategy]
    if service.get("deployment_strategy", strategies[0]) not in strategies:
        yield f"{place}.deployment_strategy: one of {', '.join(strategies)}"
    yield from _scaling(service.get("scaling") or {}, f"{place}.scaling")
    yield from _environment(service, f"{place}.envs")
    overrides = service.get("config_overrides") or {}
    try:
        sent = service_config(overrides)
    except ValidationError as error:
        for wrong in error.errors():
            at = ".".join(map(str, wrong["loc"]))
            yield f"{place}.config_overrides.{at}: {wrong['msg']}"
    else:
        yield from _changed(overrides, sent, f"{place}.config_overrides")


def _scaling(scaling: Plain, place: str) -> Iterator[str]:
    least, most = scaling.get("min_replicas"), scaling.get("max_replicas")
    if least is None or most is None:
        yield f"{place}: min_replicas and max_replicas are needed; bentoml would take 1"
    elif not 0 <= least <= most or not most:
        yield f"{place}: from {least} to {most} replicas is no range"
    policy: Plain = scaling.get("policy") or {}
    for way in ("up", "down"):
        window = policy.get(f"scale_{way}_stabilization_window")
        if window is not None and not 0 <= window <= LONGEST_WINDOW:
            yield f"{place}.policy.scale_{way}_stabilization_window: 0 to {LONGEST_WINDOW} seconds"
        behaviour = policy.get(f"scale_{way}_behavior")
        if behaviour is not None and behaviour not in BEHAVIOURS:
            yield f"{place}.policy.scale_{way}_behavior: one of {', '.join(sorted(BEHAVIOURS))}"


def _environment(where: Plain, place: str) -> Iterator[str]:
    variables = {env["name"]: env["value"] for env in where.get("envs") or [] if env}
    for fault in wrong_variables(variables):
        yield f"{place}: {fault}"
