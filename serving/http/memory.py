"""What is in memory, and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from models.identity import Tag
from models.languages import canonical
from serving.http.asked import Here
from serving.report.explain import explain
from serving.report.facts import Explanation
from serving.report.inventory import ServedModels

PATH = "/models"

routes = APIRouter(prefix=PATH)


async def champion(here: Here, language: Annotated[str, Path(examples=["de"])]) -> Tag:
    """Return the model that answers the language of the path; errors as those of a text."""
    return here.runtime.router.choose(canonical(language))


Champion = Annotated[Tag, Depends(champion)]
UNSERVED: dict[int | str, dict[str, Any]] = {422: {"description": "No model answers it."}}


@routes.get("")
async def models(here: Here) -> ServedModels:
    """List what is served: state, memory, last use, hits."""
    return ServedModels.of(here.runtime)


@routes.get("/{language}", responses=UNSERVED)
async def model(champion: Champion, here: Here) -> Explanation:
    """Say why a language's model is in memory or not, and what a text would cost now."""
    return await explain(here.runtime, champion)
