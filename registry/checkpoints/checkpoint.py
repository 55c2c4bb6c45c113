"""A fine-tuned checkpoint, inspected before anything is done with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from models.errors import CheckpointRefused
from models.labels import Label
from models.manifest import TOKENIZER
from registry.checkpoints import config
from registry.checkpoints.unsafe import unsafe_files
from registry.checkpoints.weights import content_digest, weight_files, weight_problems

UNKNOWN = "unknown"
SETTINGS = (config.CONFIG, TOKENIZER, config.TOKENIZER_CONFIG, "special_tokens_map.json")
NO_MAPPING: Mapping[str, str] = {}
WRONG = (ValueError, TypeError, OSError, RecursionError)
"""What a file that holds something unexpected ends in."""


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
    try:
        return _described(path, mapping)
    except WRONG as error:
        raise CheckpointRefused(str(path), [_said(error)]) from error


def _reasons(path: Path, mapping: Mapping[str, str]) -> list[str]:
    reasons = unsafe_files(path) + weight_problems(path)
    try:
        plain = config.read_json(path / config.CONFIG)
    except ValueError as error:
        return [str(error), *reasons, *_failures(lambda: _tokenizer(path, {}))]
    return reasons + _failures(
        lambda: config.no_custom_code(plain),
        lambda: config.architecture(plain),
        lambda: config.unified(config.labels(plain), mapping),
        lambda: _tokenizer(path, plain),
        lambda: config.no_custom_code(_tokenizer_config(path)),
    )


def _failures(*checks: Callable[[], object]) -> list[str]:
    reasons = []
    for check in checks:
        try:
            check()
        except WRONG as error:
            reasons.append(_said(error))
    return reasons


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


def _tokenizer(path: Path, plain: config.Json) -> None:
    """ValueError where it does not open, or has pieces that the model has no row of."""
    if not isinstance(config.read_json(path / TOKENIZER).get("model"), dict):
        message = f"{TOKENIZER} holds no model"
        raise ValueError(message)  # noqa: TRY004  (to the caller it is a bad value, as above)
    try:
        tokenizer = Tokenizer.from_file(str(path / TOKENIZER))
    except Exception as error:  # the library has no narrower one
        message = f"{TOKENIZER} does not open: {error}"
        raise ValueError(message) from error
    highest = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
    rows = plain.get("vocab_size")
    if isinstance(rows, int) and highest >= rows:
        message = f"{TOKENIZER} has ids up to {highest}, the model {rows} embeddings"
        raise ValueError(message)


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
        digest=content_digest(
            [path / name for name in SETTINGS if (path / name).is_file()] + weight_files(path)
        ),
    )
