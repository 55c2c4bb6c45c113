"""Tiny random checkpoints of several architectures, built once a run."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.quiet import quiet

with quiet():  # BentoML's first import warns of its dependencies
    import bentoml.models  # noqa: F401

WORDS = ["good", "bad", "the", "food", "was", "room", "1", "2", "3", "and", "not", "very"]
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
VOCABULARY = SPECIAL + WORDS
PAD, START, END = 0, 1, 2
SIZES = {"vocab_size": len(VOCABULARY), "pad_token_id": PAD}
LABELS = {0: "negative", 1: "positive"}

Build = Callable[[str], Path]


def write_tokenizer(folder: Path) -> None:
    """Write a word-level tokenizer.json with the special tokens of XLM-R."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: PLC0415

    vocabulary = {word: index for index, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", START), ("</s>", END)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 32} | names
    settings["model_input_names"] = ["input_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


BODY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8}
OWN: dict[str, dict[str, Any]] = {
    "distilbert": {
        "dim": 32,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 64,
        "max_position_embeddings": 40,
    },
    "electra": BODY | {"embedding_size": 16},
    "deberta": BODY | RELATIVE | {"type_vocab_size": 0, "pooler_hidden_size": 32},
    "deberta-v2": BODY
    | RELATIVE
    | {"type_vocab_size": 0, "pooler_hidden_size": 32, "share_att_key": True},
    "modernbert": BODY
    | {
        "bos_token_id": START,
        "cls_token_id": START,
        "sep_token_id": END,
        "eos_token_id": END,
        "local_attention": 8,
        "global_attn_every_n_layers": 2,
        "reference_compile": False,
    },
}
"""What a model type calls its sizes, where not as BERT does."""


def configuration(kind: str, labels: dict[int, str]) -> Any:  # noqa: ANN401  (of transformers)
    """Return a small configuration whose numbers are all different."""
    transformers: Any = importlib.import_module("transformers")
    names = {"id2label": labels, "label2id": {name: i for i, name in labels.items()}}
    return transformers.AutoConfig.for_model(kind, **SIZES, **names, **OWN.get(kind, BODY))


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return a function that makes a checkpoint of a model type, or has made it before."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp(kind)
            write_checkpoint(kind, made[kind])
        return made[kind]

    return make


def write_checkpoint(kind: str, folder: Path, labels: dict[int, str] = LABELS) -> None:
    """Write random weights, the same each time, wide enough that texts get different scores."""
    folder.mkdir(exist_ok=True)
    with quiet():
        import torch  # noqa: PLC0415

        transformers: Any = importlib.import_module("transformers")
        torch.manual_seed(7)
        model = transformers.AutoModelForSequenceClassification.from_config(
            configuration(kind, labels)
        )
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0, 0.3)
        model.save_pretrained(folder)
    write_tokenizer(folder)
