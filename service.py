"""Polysent: one BentoML service that answers sentiment in fifty languages."""

import asyncio
import logging
from typing import Any, cast

import bentoml
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from models.errors import BatchTooLarge, PolysentError
from models.settings import read_settings
from models.store import Store
from serving.assemble import assemble
from serving.call import Call
from serving.edge import Edge, OnlyOurFaults
from serving.openapi import merged
from serving.problems import answers_problems, problem
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

LOG = logging.getLogger(__name__)
settings = read_settings()
beside = FastAPI(title="Polysent", openapi_url=None, docs_url=None, redoc_url=None)
logging.getLogger("bentoml").addFilter(OnlyOurFaults())


@bentoml.service(
    name="polysent",
    workers=1,
    metrics={"enabled": False},
    traffic={"timeout": 2 * settings.request_seconds},
    tracing={"excluded_urls": [".*"]},
)
@bentoml.asgi_app(beside, path="/")
class Polysent:
    """Sentiment of texts in any language."""

    def __init__(self) -> None:
        """Build the path of a request; models are opened by the first one that needs them."""
        self.runtime = assemble(settings, Store.default())
        self.path = self.runtime.path

    @bentoml.api
    @answers_problems
    async def predict(self, question: Question, /, ctx: bentoml.Context) -> Prediction:
        """Judge one text; its language is detected when none is given."""
        return await self.path.answer(question, Call(), ctx.request.headers.get("x-language"))

    @bentoml.api(route="/predict/{language}")
    @answers_problems
    async def predict_language(self, question: Question, /, ctx: bentoml.Context) -> Prediction:
        """Judge one text in the language of the path."""
        named = ctx.request.path_params["language"]
        return await self.path.answer(
            question, Call(), named, ctx.request.headers.get("x-language")
        )

    @bentoml.api
    @answers_problems
    async def predict_batch(self, questions: Questions, /, ctx: bentoml.Context) -> Answers:
        """Judge texts in any mix of languages; answers and problems in the order of the items."""
        if len(questions.items) > settings.max_batch_items:
            message = f"{len(questions.items)} items; at most {settings.max_batch_items}"
            raise BatchTooLarge(message)
        routed = ctx.request.headers.get("x-language")
        return Answers(
            items=await asyncio.gather(*(self._item(item, routed) for item in questions.items))
        )

    @beside.get("/languages")
    async def languages(self) -> ServedLanguages:
        """List what is served, by which version, and whether it is in memory."""
        return self.runtime.languages()

    @beside.get("/metrics", response_class=Response)
    async def metrics(self) -> Response:
        """Tell Prometheus what happened."""
        exposition = self.runtime.telemetry.exposition(
            resident=len(self.runtime.residency.resident)
        )
        return Response(exposition, media_type=CONTENT_TYPE_LATEST)

    @beside.get("/openapi.json", include_in_schema=False)
    async def openapi(self) -> dict[str, Any]:
        """Describe all of it in one document."""
        return merged(cast("bentoml.Service[Any]", Polysent))

    @bentoml.on_shutdown
    def close(self) -> None:
        """Close what is open."""
        self.runtime.close()

    def __is_ready__(self) -> bool:
        """Say whether there is anything to serve."""
        return bool(self.runtime.router.routes)

    async def _item(self, item: Item, routed: str | None) -> ItemPrediction | ItemProblem:
        try:
            answer = await self.path.answer(item, Call(), routed)
        except PolysentError as error:
            return ItemProblem(id=item.id, **problem(error).model_dump())
        except Exception:  # one item's fault must not cost the others their answers
            LOG.exception("an item failed")
            return ItemProblem(id=item.id, **problem(PolysentError()).model_dump())
        return ItemPrediction(id=item.id, **answer.model_dump())


cast("bentoml.Service[Any]", Polysent).add_asgi_middleware(
    Edge, max_body_bytes=settings.max_body_bytes, seconds=settings.request_seconds
)
