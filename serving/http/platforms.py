"""What single-container platforms ask for: SageMaker's two paths, Vertex AI's by variables."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.errors import NothingServed
from models.settings import LARGEST_BATCH
from serving.http.asked import Here
from serving.result import Prediction, Question, Spoken, Text

PING = "/ping"
INVOCATIONS = "/invocations"

routes = APIRouter()


class Parameters(BaseModel):
    """What holds for all instances."""

    language: Spoken = None


class Invocation(BaseModel):
    """Texts, as SageMaker, Vertex AI and MLflow's own servers send rows."""

    instances: Annotated[list[Question | Text], Field(min_length=1, max_length=LARGEST_BATCH)]
    parameters: Parameters | None = None


class Predictions(BaseModel):
    """An answer for each instance, in their order."""

    predictions: list[Prediction]


class Pong(BaseModel):
    """Nothing; the status says it."""


@routes.get(PING)
async def ping(here: Here) -> Pong:
    """Say whether there is anything to serve."""
    if not here.runtime.ready:
        message = "there is nothing to answer with yet"
        raise NothingServed(message)
    return Pong()


@routes.post(INVOCATIONS)
async def invoke(invocation: Invocation, here: Here) -> Predictions:
    """Judge texts in the form of SageMaker and Vertex AI; they succeed or fail together."""
    questions = [
        Question(text=instance) if isinstance(instance, str) else instance
        for instance in invocation.instances
    ]
    named = invocation.parameters.language if invocation.parameters else None
    return Predictions(predictions=await here.answers(questions, named))


def vertex(environment: Mapping[str, str]) -> APIRouter:
    """Return the same under the paths that Vertex AI says in `AIP_*`, none elsewhere.

    https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
    """
    router = APIRouter(include_in_schema=False)
    health, predict = environment.get("AIP_HEALTH_ROUTE"), environment.get("AIP_PREDICT_ROUTE")
    if health and health != PING:
        router.get(health)(ping)
    if predict and predict != INVOCATIONS:
        router.post(predict)(invoke)
    return router
