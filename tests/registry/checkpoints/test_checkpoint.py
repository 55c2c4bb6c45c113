import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from models.errors import CheckpointRefused
from registry.checkpoints.checkpoint import inspect
from tests.registry.conftest import Build

Change = Callable[[Path], object]


@pytest.fixture
def checkpoint(build: Build, tmp_path: Path) -> Path:
    """Return a copy of a good checkpoint that a test may spoil."""
    return Path(shutil.copytree(build("bert"), tmp_path / "checkpoint"))


def config(**changes: Any) -> Change:  # noqa: ANN401
    """Return a change of config.json; None removes a key."""

    def change(folder: Path) -> None:
        path = folder / "config.json"
        plain = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({k: v for k, v in plain.items() if v is not None}))

    return change


def write(name: str, content: bytes) -> Change:
    """Return a change that writes a file."""

    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    return change


def remove(name: str) -> Change:
    """Return a change that removes a file."""
    return lambda folder: (folder / name).unlink()


def folder(name: str) -> Change:
    """Return a change that puts a folder where a file is expected."""

    def change(checkpoint: Path) -> None:
        (checkpoint / name).unlink(missing_ok=True)
        (checkpoint / name).mkdir()

    return change


def index(shard: str) -> Change:
    """Return a change that names a file, which is there, as a shard of the weights."""

    def change(checkpoint: Path) -> None:
        shutil.copyfile(checkpoint / "model.safetensors", checkpoint / shard)
        named = {"weight_map": {"classifier.weight": shard}}
        (checkpoint / "model.safetensors.index.json").write_text(json.dumps(named))

    return change


def tensors(offsets: list[object]) -> Change:
    """Return a change to weights whose one tensor lies at these offsets."""
    header = json.dumps({"a": {"dtype": "I8", "shape": [9], "data_offsets": offsets}}).encode()
    return write("model.safetensors", len(header).to_bytes(8, "little") + header + bytes(9))


def cut(folder: Path) -> None:
    """Lose the end of the weights."""
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def reasons(folder: Path, mapping: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return why a checkpoint is refused."""
    with pytest.raises(CheckpointRefused) as refused:
        inspect(folder, mapping or {})
    return refused.value.reasons


def test_a_good_checkpoint_is_described(checkpoint: Path) -> None:
    """What the exporter and the manifest need is read without loading the model."""
    (checkpoint / "README.md").write_text("---\nlicense: mit\nbase_model: owner/base\n---\n# Hi")

    found = inspect(checkpoint)

    assert found.architecture == "BertForSequenceClassification"
    assert found.unified == ("negative", "positive")
    assert (found.max_tokens, found.pad_token_id) == (32, 0)
    assert (found.licence, found.base_model) == ("mit", "owner/base")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (remove("config.json"), "no config.json"),
        (write("config.json", b"{"), "config.json is not JSON"),
        (write("config.json", b"[]"), "no JSON object"),
        (config(architectures=["BertForMaskedLM"]), "ForSequenceClassification"),
        (config(architectures=None), "ForSequenceClassification"),
        (config(auto_map={"AutoModel": "code.Model"}), "auto_map"),
        (config(id2label={"0": "negative", "2": "positive"}), "one label for each logit"),
        (config(id2label={"0": "joy", "1": "anger"}), "joy"),
        (config(id2label={"0": "neutral", "1": "positive"}), "no negative and positive"),
        (config(id2label={"0": "positive"}), "one label out of several"),
        (config(problem_type="regression"), "regression"),
        (config(problem_type="multi_label_classification"), "multi_label"),
        (config(id2label=None), "LABEL_0"),
        (remove("model.safetensors"), "no *.safetensors"),
        (write("model.safetensors", b""), "no safetensors header"),
        (write("model.safetensors", b"\xff" * 64), "no safetensors header"),
        (write("model.safetensors", b"\x02" + bytes(7) + b"[]"), "header can't be read"),
        (cut, "truncated"),
        (
            write("model.safetensors.index.json", b'{"weight_map": {"a": "b.safetensors"}}'),
            "b.safetensors is missing",
        ),
        (index("weights.txt"), "'weights.txt'"),
        (index("../model.safetensors"), "'../model.safetensors'"),
        (
            write("other.safetensors.index.json", b'{"weight_map": {"a": "../b"}}'),
            "'../b'",
        ),
        (write("model.safetensors.index.json", b"[" * 100_000), "can't be read"),
        (folder("tokenizer_config.json"), "tokenizer_config.json can't be read"),
        (folder("extra.safetensors"), "extra.safetensors: the safetensors header can't be read"),
        (tensors([0, "9"]), "header can't be read"),
        (tensors(["9"]), "header can't be read"),
        (config(architectures=5), "architectures is 5"),
        (config(problem_type=["x"]), "problem_type ['x']"),
        (config(id2label=None, num_labels=10**9), "one label for each logit"),
        (config(model_type=["bert"]), "unhashable"),
        (config(transformers_weights="../x.safetensors"), "transformers_weights"),
        (config(vocab_size=10), "ids up to 15, the model 10 embeddings"),
        (write("tokenizer.json", b'{"model": {"type": "Nope"}}'), "does not open"),
        (write("weights.txt", b"PK\x03\x04"), "weights.txt is a zip"),
        (write("spiece.model", b"\x80\x02"), "spiece.model is a pickle"),
        (write("optimizer.safetensors", b"\x80\x04K\x00."), "optimizer.safetensors is a pickle"),
        (remove("tokenizer.json"), "no tokenizer.json"),
        (write("tokenizer.json", b"{}"), "holds no model"),
        (write("tokenizer_config.json", b'{"auto_map": {}}'), "auto_map"),
        (write("modeling_mine.py", b""), "modeling_mine.py is code"),
        (write("pytorch_model.bin", b""), "pytorch_model.bin is a pickle"),
        (write("model.PT", b""), "model.PT is a pickle"),
        (write("tf_model.h5", b""), "tf_model.h5 is a pickle"),
        (write("checkpoint-1/optimizer.pt", b""), "optimizer.pt is a pickle"),
        (write("scaler", b"\x80\x04K\x00."), "scaler is a pickle"),
        (write("weights.dat", b"PK\x03\x04"), "weights.dat is a zip"),
    ],
)
def test_each_fault_of_a_checkpoint_is_named(spoil: Change, reason: str, checkpoint: Path) -> None:
    """A checkpoint that can't be served is refused before anything is done with it."""
    spoil(checkpoint)

    assert any(reason in found for found in reasons(checkpoint))


def test_all_faults_are_named_at_once(checkpoint: Path) -> None:
    """Nobody should have to mend a checkpoint one refusal at a time."""
    for spoil in (
        remove("tokenizer.json"),
        remove("model.safetensors"),
        write("pytorch_model.bin", b""),
        config(architectures=["GPT2LMHeadModel"], id2label={"0": "joy", "1": "anger"}),
    ):
        spoil(checkpoint)

    assert len(reasons(checkpoint)) == 5


def test_a_mapping_names_labels_that_say_nothing(checkpoint: Path) -> None:
    """LABEL_0 means what the person who registers it says."""
    config(id2label=None)(checkpoint)

    found = inspect(checkpoint, {"LABEL_0": "negative", "LABEL_1": "positive"})

    assert found.labels == ("LABEL_0", "LABEL_1")
    assert found.unified == ("negative", "positive")


@pytest.mark.parametrize("mapping", [{"LABEL_7": "negative"}, {"negative": "sad"}])
def test_a_mapping_that_fits_nothing_is_refused(mapping: dict[str, str], checkpoint: Path) -> None:
    """A mistyped mapping must not be dropped in silence."""
    assert any("mapping" in reason for reason in reasons(checkpoint, mapping))


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    """A file, or nothing at all, is no checkpoint."""
    assert reasons(tmp_path / "missing") == ("it is not a directory",)


def test_positions_counted_from_the_padding_shorten_the_text(build: Build) -> None:
    """RoBERTa's 40 positions hold 39 tokens when padding is token 0; the tokenizer says 32."""
    folder = build("xlm-roberta")

    assert inspect(folder).max_tokens == 32


@pytest.mark.parametrize(
    "change",
    [
        config(hidden_dropout_prob=0.2),
        write("tokenizer_config.json", b"{}"),
        write("special_tokens_map.json", b'{"unk_token": "<unk>"}'),
    ],
)
def test_another_content_is_another_digest(change: Change, checkpoint: Path) -> None:
    """The digest names configuration, tokenizer, its settings and weights."""
    before = inspect(checkpoint).digest
    change(checkpoint)

    assert inspect(checkpoint).digest != before


def test_good_weights_may_begin_like_a_pickle(checkpoint: Path) -> None:
    """A safetensors file begins with the length of its header, whatever bytes that is."""
    from safetensors.numpy import load_file, save_file  # noqa: PLC0415

    weights = checkpoint / "model.safetensors"
    header = int.from_bytes(weights.read_bytes()[:8], "little")
    padding = (0x0280 - header) % 0x10000  # the two low bytes spell a pickle of protocol 2
    arrays = load_file(weights)
    for extra in range(padding, padding - 64, -1):
        save_file(arrays, weights, {"format": "pt", "x": "." * extra})
        if weights.read_bytes()[:2] == b"\x80\x02":
            break

    assert weights.read_bytes()[:2] == b"\x80\x02"
    assert inspect(checkpoint).labels == ("negative", "positive")
