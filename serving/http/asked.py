"""What a route beside BentoML's knows of the request that it answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from models.errors import BatchTooLarge, PolysentError
from models.settings import Settings
from serving.call import Call, call_of
from serving.http import problems
from serving.result import Prediction, Question

if TYPE_CHECKING:
    from serving.assemble import Runtime


@dataclass(frozen=True, slots=True)
class Asked:
    """The service's parts, and what the request says beside its body."""

    runtime: "Runtime"
    settings: Settings
    call: Call
    header: str | None

    async def predictions(self, texts: Sequence[str], named: str | None) -> list[Prediction]:
        """Answer texts of one request, none of which names its language; see `answers`."""
        return await self.answers([Question(text=text) for text in texts], named)

    async def answers(self, questions: Sequence[Question], named: str | None) -> list[Prediction]:
        """Answer questions of one request side by side, in their order.

        They fail together: the first that has no answer raises its PolysentError.
        """
        if len(questions) > self.settings.max_batch_items:
            message = f"{len(questions)} texts; at most {self.settings.max_batch_items}"
            raise BatchTooLarge(message)
        self.call.caller.pay(len(questions) - 1)
        try:
            async with asyncio.TaskGroup() as group:
                answers = [group.create_task(self._answer(each, named)) for each in questions]
        except* PolysentError as failed:
            raise _first(failed) from None
        return [answer.result() for answer in answers]

    async def _answer(self, question: Question, named: str | None) -> Prediction:
        return await self.runtime.path.answer(question, self.call, named, self.header)


def _first(failed: ExceptionGroup[PolysentError]) -> PolysentError:
    error = failed.exceptions[0]
    return error if isinstance(error, PolysentError) else _first(error)


async def asked(request: Request) -> Asked:
    """Gather what a route needs; `furnish` has put the service's parts into the application."""
    state = request.app.state
    header = request.headers.get("x-language")
    return Asked(state.runtime, state.settings, call_of(request.scope), header)


Here = Annotated[Asked, Depends(asked)]


def beside() -> FastAPI:
    """Return the application for what is no BentoML API; errors of ours leave it as problems."""
    return FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        exception_handlers={PolysentError: _refused},
    )


def furnish(app: FastAPI, runtime: "Runtime", settings: Settings) -> None:
    """Give the routes what they answer with."""
    app.state.runtime = runtime
    app.state.settings = settings


async def _refused(_: Request, error: Exception) -> Response:
    return problems.response(error if isinstance(error, PolysentError) else PolysentError())
