"""What `MLmodel` names as its loader, so that MLflow and `bentoml.mlflow` can open an artifact."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from models.artifact import Artifact, open_artifact
from models.labels import best
from models.tokens import Tokenizers

THREADS = 1


class Prediction(TypedDict):
    """One answer."""

    label: str
    score: float


class PyFunc:
    """The predict interface of MLflow over one artifact."""

    def __init__(self, artifact: Artifact) -> None:
        """Take an opened artifact."""
        self._artifact = artifact

    def predict(self, model_input: Any, params: Any = None) -> list[Prediction]:  # noqa: ANN401, ARG002
        """Answer a pandas DataFrame with a column `text`, or a list of texts, in its order."""
        texts = [str(text) for text in _texts(model_input)]
        rows = self._artifact(texts) if texts else []
        return [{"label": best(row), "score": row[best(row)]} for row in rows]


def _load_pyfunc(path: str) -> PyFunc:
    """Open the artifact in a folder; the name is MLflow's."""
    return PyFunc(open_artifact(Path(path), Tokenizers(), THREADS))


def _texts(model_input: Any) -> Iterable[Any]:  # noqa: ANN401  (pandas is not imported here)
    texts: Iterable[Any] = model_input["text"] if hasattr(model_input, "columns") else model_input
    return texts
