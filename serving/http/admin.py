"""What is in memory, and why; and, for those who know the token, to change it."""

import hmac
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.errors import ModelPinned, ModelUnavailable, PolysentError, Unauthorized
from models.identity import Tag
from models.languages import canonical
from serving.http.asked import Here
from serving.report.explain import explain
from serving.report.facts import Explanation
from serving.report.inventory import ServedModel, ServedModels

bearer = HTTPBearer(
    auto_error=False,
    description="`POLYSENT_ADMIN_TOKEN`, else what `$BENTOML_HOME/polysent/admin.token` holds.",
)
routes = APIRouter(prefix="/models")


def furnish(app: FastAPI, token: str) -> None:
    """Let those in who know the token."""
    app.state.token = token


async def authorized(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> None:
    """Want the token; Unauthorized otherwise."""
    token: str = request.app.state.token
    if given is None or not hmac.compare_digest(given.credentials.encode(), token.encode()):
        message = "send `Authorization: Bearer TOKEN`; docs/api.md says where the token is"
        raise Unauthorized(message)


async def champion(here: Here, language: Annotated[str, Path(examples=["de"])]) -> Tag:
    """Return the model that answers the language of the path; errors as those of a text."""
    return here.runtime.router.choose(canonical(language))


Champion = Annotated[Tag, Depends(champion)]
UNSERVED: dict[int | str, dict[str, Any]] = {422: {"description": "No model answers it."}}
REFUSED: dict[int | str, dict[str, Any]] = {401: {"description": "The token is wrong."}, **UNSERVED}
FOR_ADMINS: dict[str, Any] = {"dependencies": [Depends(authorized)], "responses": REFUSED}


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


@routes.post("/{language}/evict", **FOR_ADMINS | {"responses": {**REFUSED, 409: {}}})
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
