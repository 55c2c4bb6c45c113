"""To change what is in memory, for admins."""

from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Depends

from models.errors import Forbidden, ModelPinned, ModelUnavailable, PolysentError, Unauthorized
from models.keys import Scope
from serving.caller import ANYONE
from serving.http.access import SEND
from serving.http.asked import Here
from serving.http.memory import PATH, UNSERVED, Champion
from serving.http.spoken import ADMIN
from serving.report.inventory import ServedModel

routes = APIRouter(prefix=PATH)


async def authorized(here: Here) -> None:
    """Want a key of scope `admin`; Unauthorized where there is none, Forbidden where it is not."""
    caller = here.call.caller
    if caller is ANYONE:
        message = f"{SEND}; docs/access.md says which"
        raise Unauthorized(message)
    if caller.scope is not Scope.ADMIN:
        message = f"the key {caller.name!r} is for {caller.scope}, not for admin"
        raise Forbidden(message)


FOR_ADMINS: dict[str, Any] = {
    "dependencies": [Depends(authorized)],
    "responses": UNSERVED,
    "openapi_extra": {"security": ADMIN},
}


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
