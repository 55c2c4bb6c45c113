"""A sentiment model as a plain Hugging Face directory, out of the encoder and a linear head.

The classifier of a stock BERT sees one token; the head was made for the mean of all. So one more
encoder layer averages them: queries and keys are zero (attention is even), values pass through,
the result counts `MEAN_WEIGHT` times the token itself, the feed-forward part adds nothing. Its
last LayerNorm gives the mean, normalised; the pooler scales it into the linear part of tanh.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from training.e5 import Array, Q4File
from training.head import LABELS, Head

MEAN_WEIGHT = 100.0
POOLER_SCALE = 0.01
MAX_TOKENS = 512
TRANSFORMERS_VERSION = "4.57.1"
"""What config.json says: from 4.57.3 on AutoTokenizer warns, wrongly, of a Mistral tokenizer."""

_LINEAR = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
Tensors = dict[str, Array]


def encoder(file: Q4File) -> Tensors:
    """Return all of the model that is the same in every language, by its BERT names, float32."""
    sizes = file.sizes
    width = sizes.hidden
    tensors = {
        "bert.embeddings.position_embeddings.weight": file.tensor(
            "emb.pos", sizes.positions, width
        ),
        "bert.embeddings.token_type_embeddings.weight": file.tensor("emb.type", sizes.types, width),
        "bert.embeddings.LayerNorm.weight": file.tensor("emb.ln.w", width),
        "bert.embeddings.LayerNorm.bias": file.tensor("emb.ln.b", width),
        "bert.pooler.dense.weight": POOLER_SCALE * np.eye(width, dtype=np.float32),
        "bert.pooler.dense.bias": np.zeros(width, np.float32),
    }
    for layer in range(sizes.layers):
        tensors |= _prefixed(layer, _layer(file, layer))
    return tensors | _prefixed(sizes.layers, averaging(width, sizes.inner))


def _layer(file: Q4File, layer: int) -> Tensors:
    width, inner = file.sizes.hidden, file.sizes.inner
    tensors = {}
    for short, name in _LINEAR.items():
        rows, columns = {"fi": (inner, width), "fo": (width, inner)}.get(short, (width, width))
        tensors[f"{name}.weight"] = file.tensor(f"l{layer}.{short}.w", rows, columns)
        tensors[f"{name}.bias"] = file.tensor(f"l{layer}.{short}.b", rows)
    for short, name in _NORMS.items():
        tensors[f"{name}.weight"] = file.tensor(f"l{layer}.{short}.w", width)
        tensors[f"{name}.bias"] = file.tensor(f"l{layer}.{short}.b", width)
    return tensors


def averaging(width: int, inner: int) -> Tensors:
    """Return the layer that puts the mean over the tokens into each of them."""
    square = np.zeros((width, width), np.float32)
    weights = {
        "attention.self.query": square,
        "attention.self.key": square.copy(),
        "attention.self.value": np.eye(width, dtype=np.float32),
        "attention.output.dense": np.eye(width, dtype=np.float32) * np.float32(MEAN_WEIGHT),
        "intermediate.dense": np.zeros((inner, width), np.float32),
        "output.dense": np.zeros((width, inner), np.float32),
    }
    tensors = {f"{name}.weight": weight for name, weight in weights.items()}
    tensors |= {
        f"{name}.bias": np.zeros(len(weight), np.float32) for name, weight in weights.items()
    }
    for name in _NORMS.values():
        tensors[f"{name}.weight"] = np.ones(width, np.float32)
        tensors[f"{name}.bias"] = np.zeros(width, np.float32)
    return tensors


def _prefixed(layer: int, tensors: Tensors) -> Tensors:
    return {f"bert.encoder.layer.{layer}.{name}": value for name, value in tensors.items()}


def classifier(head: Head) -> Tensors:
    """Return the two rows of the classifier; their difference is the head."""
    half = np.asarray(head.weight, np.float32) / 2
    bias = np.float32(head.bias / 2)
    return {
        "classifier.weight": (np.stack([-half, half]) / POOLER_SCALE).astype(np.float32),
        "classifier.bias": np.stack([-bias, bias]),
    }


def config(file: Q4File, vocabulary: int, recipe: str) -> str:
    """Return config.json; `recipe` names what the checkpoint was made of (`polysent_recipe`)."""
    sizes = file.sizes
    return json.dumps(
        {
            "architectures": ["BertForSequenceClassification"],
            "model_type": "bert",
            "vocab_size": vocabulary,
            "hidden_size": sizes.hidden,
            "num_hidden_layers": sizes.layers + 1,
            "num_attention_heads": sizes.heads,
            "intermediate_size": sizes.inner,
            "hidden_act": "gelu",
            "max_position_embeddings": sizes.positions,
            "type_vocab_size": sizes.types,
            "layer_norm_eps": 1e-12,
            "position_embedding_type": "absolute",
            "pad_token_id": 1,
            "id2label": dict(enumerate(LABELS)),
            "label2id": {label: index for index, label in enumerate(LABELS)},
            "dtype": "float32",
            "transformers_version": TRANSFORMERS_VERSION,
            "polysent_recipe": recipe,
        },
        indent=1,
    )


def is_current(directory: Path, recipe: str) -> bool:
    """Tell whether `directory` is a finished checkpoint made by this recipe."""
    try:
        found = json.loads((directory / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(found.get("polysent_recipe") == recipe)


def write(directory: Path, tensors: Tensors, texts: Mapping[str, str]) -> Path:
    """Write model.safetensors and the given text files; return the directory.

    It appears finished or not at all, in place of what was there. One writer at a time.
    """
    stage = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    for name, text in texts.items():
        (stage / name).write_text(text, "utf-8")
    save_file(tensors, stage / "model.safetensors", {"format": "pt"})
    shutil.rmtree(directory, ignore_errors=True)
    return stage.rename(directory)
