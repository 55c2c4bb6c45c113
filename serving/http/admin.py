"""What is in memory, and why; and, for admins, to change it."""

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from models.errors import Forbidden, ModelPinned, ModelUnavailable, PolysentError, Unauthorized
from models.identity import Tag
from models.keys import Scope
from models.languages import canonical
from serving.caller import ANYONE
from serving.http.access import SEND
from serving.http.asked import Here
from serving.http.spoken import ADMIN
from serving.report.explain import explain
from serving.report.facts import Explanation
from serving.report.inventory import ServedModel, ServedModels

routes = APIRouter(prefix="/models")


async def authorized(here: Here) -> None:
    """Want a key of scope `admin`; Unauthorized where there is none, Forbidden where it is not."""
    caller = here.call.caller
    if caller is ANYONE:
        message = f"{SEND}; docs/access.md says which"
        raise Unauthorized(message)
    if caller.scope is not Scope.ADMIN:
        message = f"the key {caller.name!r} is for {caller.scope}, not for admin"
        raise Forbidden(message)


async def champion(here: Here, language: Annotated[str, Path(examples=["de"])]) -> Tag:
    """Return the model that answers the language of the path; errors as those of a text."""
    return here.runtime.router.choose(canonical(language))


Champion = Annotated[Tag, Depends(champion)]
UNSERVED: dict[int | str, dict[str, Any]] = {422: {"description": "No model answers it."}}
FOR_ADMINS: dict[str, Any] = {
    "dependencies": [Depends(authorized)],
    "responses": UNSERVED,
    "openapi_extra": {"security": ADMIN},
}


@routes.get("")
async def models(here: Here) -> ServedModels:
    """List what is served: state, memory, last use, hits."""
    return ServedModels.of(here.runtime)


@routes.get("/{language}", responses=UNSERVED)
async def model(champion: Champion, here: Here) -> Explanation:
    """Say why a language's model is in memory or not, and what a text would cost now."""
    return await explain(here.runtime, champion)


@routes.post("/{language}/pin", **FOR_ADMINS)
async def pin(champion: Champion, here: Here) -> ServedModel:
    """Open the model and keep it open, the versions to come as well; all or nothing."""
    keeper, language = here.runtime.keeper, champion.model.language
    before = language in keeper.pinned
    try:
        await keeper.pin(language)
    except BaseException:
        if not before:
            with suppress(PolysentError):  # it may have been retired meanwhile
                keeper.unpin(language)
        raise
    return ServedModel.of(here.runtime, champion)


@routes.post("/{language}/unpin", **FOR_ADMINS)
async def unpin(champion: Champion, here: Here) -> ServedModel:
    """Let the model make room for others again."""
    here.runtime.keeper.unpin(champion.model.language)
    return ServedModel.of(here.runtime, champion)


@routes.post("/{language}/evict", **FOR_ADMINS | {"responses": {**UNSERVED, 409: {}}})
async def evict(champion: Champion, here: Here) -> ServedModel:
    """Close the model once its last text is answered; the next text opens it again."""
    runtime = here.runtime
    if champion.model.language in runtime.keeper.pinned:
        message = f"{champion.model.language} is pinned; unpin it first"
        raise ModelPinned(message)
    if runtime.residency.state(champion) == "loading":
        with suppress(ModelUnavailable):
            async with runtime.residency.lease(champion):
                pass
    runtime.residency.evict(champion)
    return ServedModel.of(runtime, champion)
