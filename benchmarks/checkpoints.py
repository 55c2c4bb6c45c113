"""Random checkpoints of a real shape, written tensor by tensor."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shapes import Shape
from models.manifest import TOKENIZER

LABELS = ("negative", "neutral", "positive")
MODEL_TYPE = "xlm-roberta"
POSITIONS = 514
SPREAD = 0.02
"""Standard deviation of the random weights, as XLM-R begins with."""
CHUNK = 2**24
"""Numbers that are in memory at a time."""


def write(folder: Path, shape: Shape, tokenizer: Path, seed: int = 0) -> int:
    """Write an XLM-R checkpoint, in bounded memory; return the bytes of its weights.

    The same seed gives the same bytes.
    """
    import torch  # noqa: PLC0415  (heavy)
    from transformers import AutoConfig, AutoModelForSequenceClassification  # noqa: PLC0415

    models: Any = AutoModelForSequenceClassification
    folder.mkdir(parents=True)
    config = AutoConfig.for_model(
        MODEL_TYPE,
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.ffn,
        max_position_embeddings=POSITIONS,
        type_vocab_size=1,
        pad_token_id=1,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
        architectures=["XLMRobertaForSequenceClassification"],
    )
    config.save_pretrained(folder)
    with torch.device("meta"):
        state = models.from_config(config).state_dict()
    shutil.copyfile(tokenizer, folder / TOKENIZER)
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    shapes = {name: tuple(part.shape) for name, part in state.items()}
    return _weights(folder / "model.safetensors", shapes, np.random.default_rng(seed))


def _weights(path: Path, shapes: dict[str, tuple[int, ...]], chance: np.random.Generator) -> int:
    header, place = {}, 0
    for name, shape in shapes.items():
        end = place + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [place, end]}
        place = end
    head = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    head += b" " * (-len(head) % 8)
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for name, shape in shapes.items():
            for part in _values(name, int(np.prod(shape)), chance):
                file.write(part.tobytes())
    return place


def _values(name: str, count: int, chance: np.random.Generator) -> Iterator[np.ndarray]:
    for start in range(0, count, CHUNK):
        length = min(CHUNK, count - start)
        if name.endswith("LayerNorm.weight"):
            yield np.ones(length, np.float32)
        elif name.endswith(".bias"):
            yield np.zeros(length, np.float32)
        else:
            yield chance.standard_normal(length, dtype=np.float32) * np.float32(SPREAD)
