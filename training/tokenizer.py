"""The tokenizer.json of a language: the shared one, cut to the pieces that it keeps."""

import json
from collections.abc import Sequence
from typing import Any

from training.vocabulary import SPECIAL

Json = dict[str, Any]
PREFIX = "query:"
"""E5 was trained with it before every text; here the post-processor puts it in."""

SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}


def cut(shared: Json, kept: Sequence[int], prefix: Sequence[int]) -> Json:
    """Return a tokenizer whose piece i is the shared piece `kept[i]`.

    `shared` is left as it is. `kept` rises and holds the special pieces; `prefix` are the shared
    ids of "query:". The result gives `<s> query: TEXT </s>` for a bare text.
    """
    vocabulary = shared["model"]["vocab"]
    pieces = [vocabulary[index] for index in kept]
    position = {index: place for place, index in enumerate(kept)}
    added = [token | {"id": position[token["id"]]} for token in shared["added_tokens"]]
    return shared | {
        "model": shared["model"] | {"vocab": pieces, "unk_id": position[shared["model"]["unk_id"]]},
        "added_tokens": added,
        "post_processor": _post_processor(
            {token["content"]: token["id"] for token in added},
            [position[index] for index in prefix],
            [vocabulary[index][0] for index in prefix],
        ),
    }


def _post_processor(special: dict[str, int], ids: list[int], tokens: list[str]) -> Json:
    begin = {"SpecialToken": {"id": "<s>" + PREFIX, "type_id": 0}}
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    first, second = ({"Sequence": {"id": which, "type_id": 0}} for which in "AB")
    return {
        "type": "TemplateProcessing",
        "single": [begin, first, end],
        "pair": [begin, first, end, second, end],
        "special_tokens": {
            "<s>" + PREFIX: {
                "id": "<s>" + PREFIX,
                "ids": [special["<s>"], *ids],
                "tokens": ["<s>", *tokens],
            },
            "</s>": {"id": "</s>", "ids": [special["</s>"]], "tokens": ["</s>"]},
        },
    }


def files(tokenizer: Json, max_tokens: int) -> dict[str, str]:
    """Return the texts of the tokenizer's files by name, as Hugging Face reads them."""
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_tokens,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        **SPECIAL_TOKENS,
    }
    return {
        "tokenizer.json": json.dumps(tokenizer, ensure_ascii=False),
        "tokenizer_config.json": json.dumps(config, indent=1),
        "special_tokens_map.json": json.dumps(SPECIAL_TOKENS, indent=1),
    }


def special_ids(shared: Json) -> set[int]:
    """Return the ids of the five special pieces in the shared tokenizer."""
    return {token["id"] for token in shared["added_tokens"] if token["content"] in SPECIAL}
