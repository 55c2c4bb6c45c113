"""A fine-tuned checkpoint, inspected before anything is done with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import CheckpointRefused
from models.labels import Label
from models.manifest import TOKENIZER
from registry import config
from registry.unsafe import unsafe_files
from registry.weights import content_digest, weight_files, weight_problems

UNKNOWN = "unknown"
NO_MAPPING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A local Hugging Face directory that can become a Polysent model.

    `labels[i]` is the model's own name of logit i and `unified[i]` ours; `digest` is a sha256 over
    the configuration, the tokenizer and the weights.
    """

    path: Path
    architecture: str
    model_type: str
    labels: tuple[str, ...]
    unified: tuple[Label, ...]
    max_tokens: int
    pad_token_id: int
    base_model: str
    licence: str
    digest: str


def inspect(path: Path, mapping: Mapping[str, str] = NO_MAPPING) -> Checkpoint:
    """Judge a local directory; CheckpointRefused names every reason at once.

    `mapping` gives our name of labels that do not say what they mean: `{"LABEL_0": "negative"}`.
    Nothing in the directory is executed, nor opened by a loader that could.
    """
    if not path.is_dir():
        raise CheckpointRefused(str(path), ["it is not a directory"])
    if reasons := _reasons(path, mapping):
        raise CheckpointRefused(str(path), reasons)
    return _described(path, mapping)


def _reasons(path: Path, mapping: Mapping[str, str]) -> list[str]:
    reasons = unsafe_files(path) + weight_problems(path)
    try:
        plain = config.read_json(path / config.CONFIG)
    except ValueError as error:
        return [str(error), *reasons, *_failures(lambda: _tokenizer(path))]
    return reasons + _failures(
        lambda: config.no_custom_code(plain),
        lambda: config.architecture(plain),
        lambda: config.unified(config.labels(plain), mapping),
        lambda: _tokenizer(path),
        lambda: config.no_custom_code(_tokenizer_config(path)),
    )


def _failures(*checks: Callable[[], object]) -> list[str]:
    reasons = []
    for check in checks:
        try:
            check()
        except ValueError as error:
            reasons.append(str(error))
    return reasons


def _tokenizer(path: Path) -> None:
    tokenizer = config.read_json(path / TOKENIZER)
    if not isinstance(tokenizer.get("model"), dict):
        message = f"{TOKENIZER} holds no model"
        raise ValueError(message)  # noqa: TRY004  (to the caller it is a bad value, as above)


def _tokenizer_config(path: Path) -> config.Json:
    file = path / config.TOKENIZER_CONFIG
    return config.read_json(file) if file.exists() else {}


def _described(path: Path, mapping: Mapping[str, str]) -> Checkpoint:
    plain = config.read_json(path / config.CONFIG)
    labels = config.labels(plain)
    return Checkpoint(
        path=path,
        architecture=config.architecture(plain),
        model_type=str(plain.get("model_type", UNKNOWN)),
        labels=labels,
        unified=config.unified(labels, mapping),
        max_tokens=config.max_tokens(plain, _tokenizer_config(path)),
        pad_token_id=config.pad_token_id(plain),
        base_model=config.base_model(path, plain),
        licence=config.front_matter(path).get("license", UNKNOWN),
        digest=content_digest([path / config.CONFIG, path / TOKENIZER, *weight_files(path)]),
    )
