"""Questions and answers, as they stand in the wire format."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from models.identity import Tag
from models.labels import Label, Scores, best
from serving.detect import Language, Source

State = Annotated[
    Literal["resident", "loading", "cold", "quarantined"],
    Field(description="Whether the model is in memory; a cold one is opened by its next text."),
]
Text = Annotated[str, Field(description="The text to judge, in any language.")]
Spoken = Annotated[
    str | None,
    Field(
        description="BCP-47 tag of the text's language, such as `pt-BR`; detected when left out."
    ),
]
Id = Annotated[
    str | StrictInt | None,
    Field(
        exclude_if=lambda value: value is None, description="The `id` of the item, if it had one."
    ),
]


class Question(BaseModel):
    """One text."""

    model_config = ConfigDict(extra="forbid")

    text: Text
    language: Spoken = None


class Item(Question):
    """One text of a batch; `id` comes back with its answer."""

    id: Id = None


class Questions(BaseModel):
    """Texts in any mix of languages."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[Item], Field(min_length=1)]


class LanguageAnswer(BaseModel):
    """The language of the text, and how it is known."""

    tag: Annotated[str, Field(description="Canonical BCP-47 tag; `und` when it could not be told.")]
    source: Source
    confidence: Annotated[float, Field(ge=0, le=1)]


class ModelAnswer(BaseModel):
    """The model that answered."""

    name: Annotated[str, Field(examples=["sentiment-de"])]
    version: Annotated[int, Field(description="The version's number in MLflow.")]


class Prediction(BaseModel):
    """The sentiment of one text."""

    label: Label
    score: Annotated[float, Field(ge=0, le=1, description="Probability of the label.")]
    scores: Annotated[
        dict[Label, float], Field(description="Probability of each label that the model knows.")
    ]
    language: LanguageAnswer
    model: ModelAnswer

    @classmethod
    def of(cls, scores: Scores, language: Language, tag: Tag) -> Self:
        """Put together what one answer says."""
        rounded = {label: round(score, 6) for label, score in scores.items()}
        label = best(scores)
        return cls(
            label=label,
            score=rounded[label],
            scores=rounded,
            language=LanguageAnswer(
                tag=language.tag, source=language.source, confidence=language.confidence
            ),
            model=ModelAnswer(name=tag.model.name, version=tag.model.version),
        )


class Problem(BaseModel):
    """An error, as RFC 9457 has it (`application/problem+json`)."""

    type: Annotated[str, Field(examples=["urn:polysent:problem:empty_text"])]
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(examples=["empty_text"])]
    instance: Annotated[
        str | None,
        Field(
            exclude_if=lambda value: value is None,
            description="The request, by what its `X-Request-Id` says.",
            examples=["urn:polysent:request:7f1d"],
        ),
    ] = None
    retry_after: Annotated[
        int | None,
        Field(
            exclude_if=lambda value: value is None,
            description="Seconds after which the same request may succeed.",
        ),
    ] = None
    errors: Annotated[
        list[dict[str, str]] | None,
        Field(
            exclude_if=lambda value: value is None, description="Each place that is wrong, and why."
        ),
    ] = None


class ItemPrediction(Prediction):
    """The answer to one item of a batch."""

    id: Id = None


class ItemProblem(Problem):
    """Why one item of a batch has no answer."""

    id: Id = None


class LineProblem(ItemProblem):
    """Why one line of a stream has no answer."""

    line: Annotated[int, Field(ge=1, description="Its number in the request.")]


class Answers(BaseModel):
    """One answer or problem for each item, in the order of the items."""

    items: list[ItemPrediction | ItemProblem]


class ServedChallenger(BaseModel):
    """The challenger of a language, while it takes part."""

    model: ModelAnswer
    state: State


class ServedLanguage(BaseModel):
    """A language that has a model of its own, or the multilingual rest (`mul`)."""

    language: str
    model: ModelAnswer
    state: State
    challenger: Annotated[
        ServedChallenger | None,
        Field(
            exclude_if=lambda value: value is None,
            description="Answers a share of the texts, or runs in the shadow.",
        ),
    ] = None
    covers: Annotated[
        list[str], Field(description="Languages that a multilingual model is meant for.")
    ]


class ServedLanguages(BaseModel):
    """All that is served."""

    languages: list[ServedLanguage]
