"""What `config.json` and its neighbours say of a checkpoint."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.labels import LABELS, Label, unify

CONFIG = "config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
SUFFIX = "ForSequenceClassification"
MOST_TOKENS = 512
"""Tokens of one text, unless the card says otherwise: attention grows with the square."""
OFFSET_POSITIONS = frozenset(
    {"camembert", "data2vec-text", "longformer", "mpnet", "roberta", "roberta-prelayernorm"}
    | {"xlm-roberta", "xlm-roberta-xl", "xmod"}
)
"""Model types that count positions from pad_token_id + 1."""
MOST_LABELS = 1000
"""Without names; nobody maps more of them by hand."""
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---", re.DOTALL)
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")

Json = Mapping[str, Any]


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ValueError says what is wrong with it."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        message = f"no {path.name}"
        raise ValueError(message) from None
    except OSError as error:
        message = f"{path.name} can't be read: {error.strerror}"
        raise ValueError(message) from None
    except (ValueError, RecursionError) as error:
        message = f"{path.name} is not JSON: {error}"
        raise ValueError(message) from None
    if not isinstance(value, dict):
        message = f"{path.name} is no JSON object"
        raise ValueError(message)  # noqa: TRY004  (to the caller it is a bad value, as above)
    return value


def no_custom_code(config: Json) -> None:
    """ValueError where a configuration asks for code, or for other weights than were judged."""
    if "auto_map" in config:
        message = "auto_map asks for code of its own; only architectures of transformers are taken"
        raise ValueError(message)
    if "transformers_weights" in config:
        message = "transformers_weights names weights of its own; model.safetensors is taken"
        raise ValueError(message)


def architecture(config: Json) -> str:
    """Return the class that the weights are for; ValueError where it classifies no texts."""
    names = config.get("architectures")
    if not isinstance(names, list) or len(names) != 1 or not str(names[0]).endswith(SUFFIX):
        message = f"architectures is {names}, not one *{SUFFIX}"
        raise ValueError(message)
    return str(names[0])


def labels(config: Json) -> tuple[str, ...]:
    """Return the model's own label of each logit; ValueError where there is not one each."""
    known = config.get("id2label") or {str(i): f"LABEL_{i}" for i in range(_count(config))}
    indices = sorted(map(str, range(len(known))))
    if not known or not isinstance(known, Mapping) or sorted(known) != indices:
        message = f"id2label is not one label for each logit: {known}"
        raise ValueError(message)
    problem = config.get("problem_type")
    if len(known) == 1 or problem not in (None, "single_label_classification"):
        message = f"{len(known)} logits, problem_type {problem}: one label out of several is needed"
        raise ValueError(message)
    return tuple(str(known[str(index)]) for index in range(len(known)))


def _count(config: Json) -> int:
    count = config.get("num_labels", 2)
    return count if isinstance(count, int) and count <= MOST_LABELS else 0


def unified(names: tuple[str, ...], mapping: Mapping[str, str]) -> tuple[Label, ...]:
    """Return our name of each label, by the mapping first; ValueError where that can't be."""
    if strange := sorted(set(mapping) - set(names)):
        message = f"the mapping names labels {strange}, the model has {list(names)}"
        raise ValueError(message)
    if wrong := sorted(set(mapping.values()) - set(LABELS)):
        message = f"the mapping leads to {wrong}, not to {list(LABELS)}"
        raise ValueError(message)
    ours = unify([mapping.get(name, name) for name in names])
    if not {"negative", "positive"} <= set(ours):
        message = f"labels {list(names)} hold no negative and positive"
        raise ValueError(message)
    return ours


def max_tokens(config: Json, tokenizer_config: Json) -> int:
    """Return how many tokens of a text the model takes, special tokens included."""
    limits = [MOST_TOKENS]
    if isinstance(positions := config.get("max_position_embeddings"), int):
        offset = config.get("model_type") in OFFSET_POSITIONS
        limits.append(positions - (pad_token_id(config) + 1 if offset else 0))
    if isinstance(told := tokenizer_config.get("model_max_length"), int):
        limits.append(told)
    return min(limits)


def pad_token_id(config: Json) -> int:
    """Return the id that fills a batch on the right; 0 where the config names none."""
    value = config.get("pad_token_id")
    return value if isinstance(value, int) else 0


def base_model(folder: Path, config: Json) -> str:
    """Return what was fine-tuned, as far as the checkpoint tells."""
    told = front_matter(folder).get("base_model") or str(config.get("_name_or_path") or "")
    return told if _HUB_ID.fullmatch(told) else str(config.get("model_type", "unknown"))


def front_matter(folder: Path) -> dict[str, str]:
    """Return the `key: value` lines that open a model card; empty where there is none."""
    path = folder / "README.md"
    text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    match = _FRONT_MATTER.match(text)
    lines = match[1].splitlines() if match else []
    pairs = (line.partition(":") for line in lines if not line.startswith((" ", "-", "#")))
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs if value.strip()}
