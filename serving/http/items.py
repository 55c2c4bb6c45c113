"""One text of many: its outcome is a value, so that its neighbours keep theirs."""

import logging
from collections.abc import Awaitable

from models.errors import PolysentError
from serving.http.problems import problem
from serving.result import Item, ItemPrediction, ItemProblem, Prediction

_LOG = logging.getLogger(__name__)


async def outcome(answering: Awaitable[Prediction], request_id: str) -> Prediction | PolysentError:
    """Return the answer, or the error in its place; what is no error of ours is logged."""
    try:
        return await answering
    except PolysentError as error:
        return error
    except Exception:  # noqa: BLE001  (one text's fault must not cost the others their answers)
        _LOG.exception("a text of request %s failed", request_id)
        return PolysentError()


def answered(item: Item, said: Prediction | PolysentError) -> ItemPrediction | ItemProblem:
    """Put an item's outcome under its id."""
    if isinstance(said, PolysentError):
        return ItemProblem(id=item.id, **problem(said).model_dump())
    return ItemPrediction.model_construct(id=item.id, **dict(said))
