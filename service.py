"""Polysent: one BentoML service that answers sentiment in fifty languages."""

import asyncio
import logging
from typing import Any, cast

import bentoml
from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST

from models.errors import BatchTooLarge
from models.settings import read_settings
from models.store import Store
from serving.assemble import assemble
from serving.call import Call, call_of
from serving.http import admin, bulk, huggingface, oip
from serving.http.asked import beside, furnish
from serving.http.edge import Edge, OnlyOurFaults
from serving.http.items import answered, outcome
from serving.http.openapi import merged
from serving.http.problems import answers_problems
from serving.http.secret import admin_token
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

settings = read_settings()
logging.getLogger("bentoml").addFilter(OnlyOurFaults())
app = beside()
for each in (admin, bulk, huggingface, oip):
    app.include_router(each.routes)


@bentoml.service(
    name="polysent",
    workers=1,
    metrics={"enabled": False},
    traffic={"timeout": 2 * settings.request_seconds},
    tracing={"excluded_urls": [".*"]},
)
@bentoml.asgi_app(app, path="/")
class Polysent:
    """Sentiment of texts in any language."""

    def __init__(self) -> None:
        """Build the path of a request; models are opened by the first one that needs them."""
        store = Store.default()
        self.runtime = assemble(settings, store)
        self.path = self.runtime.path
        furnish(app, self.runtime, settings)
        admin.furnish(app, admin_token(settings, store))

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
    async def predict_batch(self, questions: Questions, /, ctx: bentoml.Context) -> Answers:
        """Judge texts in any mix of languages; answers and problems in the order of the items."""
        if len(questions.items) > settings.max_batch_items:
            message = f"{len(questions.items)} items; at most {settings.max_batch_items}"
            raise BatchTooLarge(message)
        call, routed = call_of(ctx.request.scope), ctx.request.headers.get("x-language")
        items = (self._item(item, call, routed) for item in questions.items)
        return Answers.model_construct(items=await asyncio.gather(*items))

    @app.get("/languages")
    async def languages(self) -> ServedLanguages:
        """List what is served, by which version, and whether it is in memory."""
        return self.runtime.languages()

    @app.get("/metrics", response_class=Response)
    async def metrics(self) -> Response:
        """Tell Prometheus what happened."""
        return Response(self.runtime.metrics(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(self) -> dict[str, Any]:
        """Describe all of it in one document."""
        return merged(cast("bentoml.Service[Any]", Polysent), app)

    @bentoml.on_startup
    async def keep(self) -> None:
        """Open what must not wait for its first request, and follow the routes."""
        self.runtime.keeper.start(settings.pin)

    @bentoml.on_shutdown
    def close(self) -> None:
        """Close what is open."""
        self.runtime.close()

    async def __is_ready__(self) -> bool:
        """Say whether there is anything to serve, and all that is pinned is open."""
        return self.runtime.keeper.ready and bool(self.runtime.router.routes)

    async def _item(
        self, item: Item, call: Call, routed: str | None
    ) -> ItemPrediction | ItemProblem:
        said = await outcome(self.path.answer(item, call, routed), call.request_id)
        return answered(item, said)


cast("bentoml.Service[Any]", Polysent).add_asgi_middleware(
    Edge,
    max_body_bytes=settings.max_body_bytes,
    seconds=settings.request_seconds,
    streams=frozenset({bulk.PATH}),
)
