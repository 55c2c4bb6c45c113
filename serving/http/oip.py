"""The Open Inference Protocol v2: one model `sentiment-LANGUAGE` each, `sentiment` to detect."""

from dataclasses import dataclass
from importlib import metadata as package
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from models.errors import ModelNotFound, ModelUnavailable, NothingServed
from models.identity import PREFIX
from serving.http.asked import Here
from serving.http.tensors import (
    COLUMNS,
    InferRequest,
    InferResponse,
    ModelMetadata,
    ModelReady,
    ModelState,
    OutputTensor,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from serving.result import ServedLanguage, State

ANY = PREFIX.removesuffix("-")
"""The name under which the language is detected."""

routes = APIRouter(prefix="/v2")


@dataclass(frozen=True, slots=True)
class Named:
    """A model that is served, by the name in the path; no row where the language is detected.

    `version` is what the path says of it, if anything.
    """

    name: str
    served: ServedLanguage | None
    version: str | None = None

    @property
    def language(self) -> str | None:
        """The language that the name gives."""
        return None if self.served is None else self.served.language

    @property
    def states(self) -> dict[str, State]:
        """Whether each version is in memory that answers: the champion, then the challenger."""
        rows = [self.served, self.served.challenger] if self.served else []
        return {str(row.model.version): row.state for row in rows if row}

    @property
    def versions(self) -> list[str]:
        """The versions that answer."""
        return list(self.states)

    @property
    def state(self) -> ModelState | None:
        """Whether it is in memory, in the version of the path, else as the champion."""
        if self.served is None:
            return None
        return ModelState.of(self.states.get(self.version or "", self.served.state))


async def named(
    request: Request, here: Here, model: Annotated[str, Path(examples=[ANY, "sentiment-de"])]
) -> Named:
    """Return the model of the path; ModelNotFound names those that there are."""
    rows = {row.model.name: row for row in here.runtime.languages().languages}
    if model != ANY and model not in rows:
        message = f"no model {model!r}; served: {', '.join([ANY, *rows])}"
        raise ModelNotFound(message)
    return Named(model, rows.get(model), request.path_params.get("version"))


Model = Annotated[Named, Depends(named)]


async def is_served(
    model: Model, here: Here, version: Annotated[str, Path(examples=["1"])]
) -> None:
    """Want the version of the path to answer, and no other; ModelNotFound where it does not."""
    if version not in model.versions:
        served = ", ".join(model.versions) or "none, for the language is detected"
        message = f"no version {version!r} of {model.name}; served: {served}"
        raise ModelNotFound(message)
    here.call.version = int(version)


ServedVersion = [Depends(is_served)]


@routes.get("")
async def server() -> ServerMetadata:
    """Say who answers."""
    try:
        return ServerMetadata(version=package.version("polysent"))
    except package.PackageNotFoundError:  # inside a Bento it is source, not a package
        return ServerMetadata(version="unpackaged")


@routes.get("/health/live")
async def live() -> ServerLive:
    """Say that the process answers."""
    return ServerLive()


@routes.get("/health/ready")
async def ready(here: Here) -> ServerReady:
    """Say whether there is anything to serve."""
    if not here.runtime.ready:
        message = "there is nothing to answer with yet"
        raise NothingServed(message)
    return ServerReady()


@routes.get("/models/{model}")
@routes.get("/models/{model}/versions/{version}", dependencies=ServedVersion)
async def model_metadata(model: Model) -> ModelMetadata:
    """Say what a model takes and gives, and whether it is in memory."""
    return ModelMetadata(name=model.name, versions=model.versions, parameters=model.state)


@routes.get("/models/{model}/ready")
@routes.get("/models/{model}/versions/{version}/ready", dependencies=ServedVersion)
async def model_ready(model: Model) -> ModelReady:
    """Say whether a model answers; a cold one does, one that could not be opened does not."""
    if model.state and model.state.state == "QUARANTINED":
        message = f"{model.name} could not be opened"
        raise ModelUnavailable(message)
    return ModelReady(name=model.name, parameters=model.state)


@routes.post("/models/{model}/infer")
@routes.post("/models/{model}/versions/{version}/infer", dependencies=ServedVersion)
async def infer(model: Model, question: InferRequest, here: Here) -> InferResponse:
    """Judge texts by one model; they succeed or fail together."""
    answers = await here.predictions(question.inputs[0].texts, model.language)
    wanted = COLUMNS if question.outputs is None else [tensor.name for tensor in question.outputs]
    return InferResponse(
        id=question.id,
        model_name=model.name,
        model_version=str(answers[0].model.version) if model.served else None,
        outputs=[OutputTensor.of(name, answers) for name in wanted],
    )
