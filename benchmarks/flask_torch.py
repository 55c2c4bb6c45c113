"""The usual way: Flask, torch fp32, transformers, one text at a time, behind gunicorn.

`gunicorn benchmarks.flask_torch:app`; FLASK_TORCH holds its shape, tokenizer and threads as JSON.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.checkpoints import LABELS, POSITIONS
from benchmarks.server import free_port, running
from benchmarks.shapes import SHAPES
from cli.processes import Child
from cli.servers import PROJECT

VARIABLE = "FLASK_TORCH"
LONGEST = POSITIONS - 2


@dataclass(frozen=True, slots=True)
class Baseline:
    """How the usual way is set up."""

    shape: str
    tokenizer: Path
    workers: int
    threads: int
    """Cores that torch may use in a worker."""
    clients: int = 32
    """Requests that a worker takes at once."""

    def __str__(self) -> str:
        """Spell it for people."""
        return f"{self.workers} workers x {self.threads} torch threads"


@contextmanager
def baseline(how: Baseline, folder: Path) -> Iterator[str]:
    """Run it; yields its address."""
    port = free_port()
    child = Child(
        name="flask",
        argv=[
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
            *("--workers", str(how.workers), "--threads", str(how.clients), "--timeout", "600"),
            *("--keep-alive", "60", "benchmarks.flask_torch:app()"),
        ],
        log=folder / "logs" / "flask.log",
        environment={
            VARIABLE: json.dumps([how.shape, str(how.tokenizer), how.threads]),
            "PYTHONPATH": str(PROJECT),
        },
        folder=PROJECT,
    )
    with running(child, f"http://127.0.0.1:{port}/livez"):
        yield f"http://127.0.0.1:{port}"


def app() -> Any:  # noqa: ANN401  (flask is no dependency of the service)
    """Return the application, its model loaded."""
    import flask  # noqa: PLC0415
    import torch  # noqa: PLC0415  (heavy)
    from tokenizers import Tokenizer  # noqa: PLC0415

    shape, tokenizer_file, threads = json.loads(os.environ[VARIABLE])
    torch.set_num_threads(threads)
    model = random_model(shape)
    tokenizer = Tokenizer.from_file(tokenizer_file)
    tokenizer.enable_truncation(LONGEST)
    application = flask.Flask("flask_torch")

    @application.get("/livez")
    def livez() -> str:
        return "ok"

    @application.post("/predict")
    def predict() -> flask.Response:
        ids = tokenizer.encode(flask.request.get_json()["text"]).ids
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits
        scores = logits.softmax(-1)[0].tolist()
        best = max(range(len(LABELS)), key=scores.__getitem__)
        return flask.jsonify(label=LABELS[best], scores=dict(zip(LABELS, scores, strict=True)))

    return application


def random_model(shape: str) -> Any:  # noqa: ANN401
    """Return the model in torch, fp32, with all rows of its embeddings."""
    import transformers  # noqa: PLC0415  (heavy)

    size = SHAPES[shape]
    make: Any = transformers
    config = make.XLMRobertaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.ffn,
        max_position_embeddings=POSITIONS,
        type_vocab_size=1,
        num_labels=len(LABELS),
    )
    return make.XLMRobertaForSequenceClassification(config).eval()
