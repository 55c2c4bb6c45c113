"""Questions and answers of the Open Inference Protocol v2: columns with a name and a shape."""

from collections.abc import Callable
from itertools import chain
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.labels import LABELS, Label
from models.settings import LARGEST_BATCH
from serving.result import Prediction, State

Datatype = Literal["BYTES", "FP32"]
Column = Callable[[Prediction], str | float]


def _score_of(label: Label) -> Column:
    return lambda answer: answer.scores.get(label, 0.0)


COLUMNS: dict[str, tuple[Datatype, Column]] = {
    "label": ("BYTES", lambda answer: answer.label),
    "score": ("FP32", lambda answer: answer.score),
    **{label: ("FP32", _score_of(label)) for label in LABELS},
    "language": ("BYTES", lambda answer: answer.language.tag),
}
"""What an answer may hold; the score of a label that the model does not know is 0."""

Parameters = Annotated[dict[str, Any] | None, Field(description="Read by nobody here.")]


class InputTensor(BaseModel):
    """The texts; of shape [n] or [n, 1]."""

    name: Literal["text"]
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=2)]
    datatype: Literal["BYTES"]
    data: (
        Annotated[list[str], Field(min_length=1, max_length=LARGEST_BATCH)]
        | Annotated[list[list[str]], Field(min_length=1, max_length=LARGEST_BATCH)]
    )
    parameters: Parameters = None

    @property
    def texts(self) -> list[str]:
        """The data without the nesting that the shape allows."""
        return list(
            chain.from_iterable([row] if isinstance(row, str) else row for row in self.data)
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.shape[1:] not in ([], [1]) or prod(self.shape) != len(self.texts):
            message = f"{len(self.texts)} texts are not of shape {self.shape}; send [n] or [n, 1]"
            raise ValueError(message)
        return self


class WantedTensor(BaseModel):
    """A column that is wanted in the answer."""

    name: Literal["label", "score", "negative", "neutral", "positive", "language"]
    parameters: Parameters = None


class InferRequest(BaseModel):
    """Texts for one model."""

    id: Annotated[str | None, Field(description="Comes back with the answer.")] = None
    parameters: Parameters = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)]
    outputs: Annotated[
        list[WantedTensor] | None, Field(description="All columns when left out.")
    ] = None


class OutputTensor(BaseModel):
    """One column of the answers."""

    name: str
    shape: list[int]
    datatype: Datatype
    data: list[str] | list[float]

    @classmethod
    def of(cls, name: str, answers: list[Prediction]) -> Self:
        """Take one column out of answers."""
        datatype, column = COLUMNS[name]
        data = [column(answer) for answer in answers]
        return cls.model_validate(
            {"name": name, "shape": [len(data)], "datatype": datatype, "data": data}
        )


class InferResponse(BaseModel):
    """The answers, in the order of the texts."""

    model_config = ConfigDict(protected_namespaces=())

    id: Annotated[str | None, Field(exclude_if=lambda value: value is None)] = None
    model_name: str
    model_version: Annotated[str | None, Field(exclude_if=lambda value: value is None)] = None
    outputs: list[OutputTensor]


class TensorMetadata(BaseModel):
    """What a column is; -1 stands for any number of rows."""

    name: str
    datatype: Datatype
    shape: list[int] = [-1]


class ModelState(BaseModel):
    """Whether a model is in memory."""

    state: Literal["RESIDENT", "LOADING", "COLD", "QUARANTINED"]

    @classmethod
    def of(cls, state: State) -> Self:
        """Spell a state as the protocol's users do."""
        return cls.model_validate({"state": state.upper()})


class ModelMetadata(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: Literal["onnxruntime_onnx"] = "onnxruntime_onnx"
    inputs: list[TensorMetadata] = [TensorMetadata(name="text", datatype="BYTES")]
    outputs: list[TensorMetadata] = [
        TensorMetadata(name=name, datatype=datatype) for name, (datatype, _) in COLUMNS.items()
    ]
    parameters: Annotated[ModelState | None, Field(exclude_if=lambda value: value is None)] = None


class ModelReady(BaseModel):
    """A model that answers; a cold one is opened by its next text."""

    name: str
    ready: Literal[True] = True
    parameters: Annotated[ModelState | None, Field(exclude_if=lambda value: value is None)] = None


class ServerMetadata(BaseModel):
    """Who answers."""

    name: Literal["polysent"] = "polysent"
    version: str
    extensions: list[str] = []


class ServerLive(BaseModel):
    """The process answers."""

    live: Literal[True] = True


class ServerReady(BaseModel):
    """There is something to serve."""

    ready: Literal[True] = True
