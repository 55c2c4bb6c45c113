"""Polysent: one BentoML service that answers sentiment in fifty languages."""

import asyncio
import os
import sys
from typing import Annotated, Any, cast

import bentoml
from pydantic import Field

from models import card
from models.settings import read_settings
from models.store import Store
from serving.call import Call, call_of
from serving.http import bulk, huggingface, memory, metrics, oip, platforms
from serving.http.access import Access
from serving.http.admin_port import AdminPort
from serving.http.asked import beside, furnish
from serving.http.drain import Drain, given_socket
from serving.http.edge import Edge
from serving.http.items import answered, outcome
from serving.http.limits import Limits
from serving.http.listener import bound
from serving.http.log import RequestLog
from serving.http.openapi import merged
from serving.http.problems import answers_problems
from serving.http.secret import admin_token
from serving.http.server import adapt
from serving.image import image
from serving.result import (
    Answers,
    Item,
    ItemPrediction,
    ItemProblem,
    Prediction,
    Question,
    Questions,
    ServedLanguages,
)

settings, store = read_settings(), Store.default()
adapt(settings)
access = Access.of(settings, store)
limits = Limits(settings.max_body_bytes, settings.request_seconds, settings.upload_seconds)
app = beside()
for each in (bulk, huggingface, memory, metrics, oip, platforms):
    app.include_router(each.routes)
app.include_router(platforms.vertex(os.environ))
admin_port = AdminPort(app, settings, access, limits)


class Batch(Questions):
    """Texts, and no more of them: reading ends at the first one that is too many."""

    items: Annotated[list[Item], Field(min_length=1, max_length=settings.max_batch_items)]


@bentoml.service(
    name="polysent",
    image=image,
    workers=1,
    metrics={"enabled": False},
    traffic={"timeout": 2 * settings.request_seconds},
    tracing={"excluded_urls": [".*"]},
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(app, path="/")
class Polysent:
    """Sentiment of texts in any language."""

    def __init__(self) -> None:
        """Build the path of a request; models are opened by the first one that needs them."""
        from serving.assemble import assemble  # noqa: PLC0415  (BentoML's supervisor needs none)

        self.runtime = assemble(settings, store)
        self.path = self.runtime.path
        furnish(app, self.runtime, settings)
        furnish(admin_port.app, self.runtime, settings)
        access.trust(admin_token(settings, store))

    @bentoml.api
    @answers_problems
    async def predict(self, question: Question, /, ctx: bentoml.Context) -> Prediction:
        """Judge one text; its language is detected when none is given."""
        return await self.path.answer(
            question, call_of(ctx.request.scope), ctx.request.headers.get("x-language")
        )

    @bentoml.api(route="/predict/{language}")
    @answers_problems
    async def predict_language(self, question: Question, /, ctx: bentoml.Context) -> Prediction:
        """Judge one text in the language of the path."""
        named = ctx.request.path_params["language"]
        return await self.path.answer(
            question, call_of(ctx.request.scope), named, ctx.request.headers.get("x-language")
        )

    @bentoml.api
    @answers_problems
    async def predict_batch(self, questions: Batch, /, ctx: bentoml.Context) -> Answers:
        """Judge texts in any mix of languages; answers and problems in the order of the items."""
        call, routed = call_of(ctx.request.scope), ctx.request.headers.get("x-language")
        call.caller.pay(len(questions.items) - 1)
        items = (self._item(item, call, routed) for item in questions.items)
        return Answers.model_construct(items=await asyncio.gather(*items))

    @app.get("/languages")
    async def languages(self) -> ServedLanguages:
        """List what is served, by which version, and whether it is in memory."""
        return self.runtime.languages()

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(self) -> dict[str, Any]:
        """Describe all of it in one document."""
        return merged(cast("bentoml.Service[Any]", Polysent), app)

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Refuse to start half a service; asked once, before there is any worker."""
        card.require(settings.engine)
        admin_port.check()

    @bentoml.on_startup
    async def keep(self) -> None:
        """Open what must not wait for its first request, and follow the routes."""
        access.announce(bound(given_socket(sys.argv)))
        await admin_port.open()
        self.runtime.start(settings.pin)

    @bentoml.on_shutdown
    async def close(self) -> None:
        """Close what is open."""
        await admin_port.close()
        self.runtime.close()

    async def __is_ready__(self) -> bool:
        """Say whether there is anything to serve, and all that is pinned is open."""
        return self.runtime.ready

    async def _item(
        self, item: Item, call: Call, routed: str | None
    ) -> ItemPrediction | ItemProblem:
        said = await outcome(self.path.answer(item, call, routed), call.request_id)
        return answered(item, said)


cast("bentoml.Service[Any]", Polysent).add_asgi_middleware(Drain, listener=given_socket(sys.argv))
cast("bentoml.Service[Any]", Polysent).add_asgi_middleware(RequestLog, form=settings.log)
cast("bentoml.Service[Any]", Polysent).add_asgi_middleware(
    Edge,
    limits=limits,
    streams=frozenset({bulk.PATH}),
    access=access,
)
