"""The Hugging Face form: `InferenceClient(model=url).text_classification(text)` works unchanged."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from models.labels import Label
from models.settings import LARGEST_BATCH
from serving.http.asked import Asked, Here
from serving.result import Prediction, Text

routes = APIRouter()


class Parameters(BaseModel):
    """What of the answer is wanted."""

    top_k: Annotated[
        int | None, Field(ge=1, description="So many of the best labels; all when left out.")
    ] = None
    function_to_apply: Annotated[
        Literal["softmax"] | None,
        Field(description="Scores are probabilities of labels of which one holds."),
    ] = None


class Inputs(BaseModel):
    """One text or several."""

    inputs: Text | Annotated[list[Text], Field(min_length=1, max_length=LARGEST_BATCH)]
    parameters: Parameters | None = None


class Classified(BaseModel):
    """A label and its probability."""

    label: Label
    score: Annotated[float, Field(ge=0, le=1)]


@routes.post("/")
async def classify(question: Inputs, here: Here) -> list[list[Classified]]:
    """Judge texts in the form of Hugging Face; their language is detected."""
    return await _classified(question, here, None)


@routes.post("/hf/{language}")
async def classify_language(
    question: Inputs, language: Annotated[str, Path(examples=["de"])], here: Here
) -> list[list[Classified]]:
    """Judge texts in the form of Hugging Face, in the language of the path."""
    return await _classified(question, here, language)


async def _classified(
    question: Inputs, here: Asked, language: str | None
) -> list[list[Classified]]:
    texts = [question.inputs] if isinstance(question.inputs, str) else question.inputs
    top = question.parameters.top_k if question.parameters else None
    return [_ranked(answer)[:top] for answer in await here.predictions(texts, language)]


def _ranked(answer: Prediction) -> list[Classified]:
    ranked = sorted(answer.scores.items(), key=lambda item: -item[1])
    return [Classified(label=label, score=score) for label, score in ranked]
