"""Models of a dozen words that are whole artifacts: real ONNX, real tokenizer, real manifest."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from models.identity import ModelId, Tag
from models.labels import unify
from models.manifest import MODEL, TOKENIZER, WEIGHTS, File, Gate, Manifest
from models.routes import Route, Routes
from models.store import Store

WORDS = ("<pad>", "<unk>", "good", "gut", "bon", "bad", "schlecht", "mauvais", "film", "essen")
GOOD = ("good", "gut", "bon")
BAD = ("bad", "schlecht", "mauvais")
PASSED = Gate(
    texts=200, texts_source="nowhere", agreement=1.0, mean_score_change=0.0, data_digest="0" * 64
)


def write_tiny(
    folder: Path, language: str = "en", *, sure: float = 2.0, covers: tuple[str, ...] = ()
) -> Manifest:
    """Write an artifact that counts good and bad words; `sure` is the logit of one of them."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, "<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / TOKENIZER))
    table = np.zeros((len(WORDS), 2), dtype=np.float32)
    for word in BAD:
        table[WORDS.index(word)] = (sure, 0)
    for word in GOOD:
        table[WORDS.index(word)] = (0, sure)
    _save(_graph(table), folder)
    labels = ("negative", "positive")
    manifest = Manifest(
        language=language,
        covers=covers,
        labels=labels,
        unified=unify(labels),
        max_tokens=64,
        pad_token_id=0,
        base_model="tiny",
        precision="fp32",
        training_data_digest="0" * 64,
        licence="Apache-2.0",
        files={name: File.of(folder / name) for name in (MODEL, WEIGHTS, TOKENIZER)},
        gate=PASSED,
    )
    manifest.write(folder)
    return manifest


def serve_tiny(
    store: Store, *languages: str, version: int = 1, sure: float = 2.0
) -> dict[str, Tag]:
    """Put tiny champions of these languages into a store and route to them."""
    tags = {}
    for language in languages:
        covers = ("en", "de", "fr", "it") if language == "mul" else ()
        staged = store.home / "made" / language
        manifest = write_tiny(staged, language, sure=sure, covers=covers)
        tag = Tag(ModelId(language, version), manifest.digest[:8])
        store.path(tag).parent.mkdir(parents=True, exist_ok=True)
        staged.rename(store.path(tag))
        tags[language] = tag
    routes = {
        language: Route(champion=tag, covers=Manifest.read(store.path(tag)).covers)
        for language, tag in tags.items()
    }
    write_routes(store, routes)
    return tags


def write_routes(store: Store, routes: dict[str, Route]) -> None:
    """Replace the routes as the sync does."""
    store.routes.parent.mkdir(parents=True, exist_ok=True)
    staged = store.routes.with_suffix(".new")
    staged.write_bytes(Routes(languages=routes).to_bytes())
    staged.replace(store.routes)


def _graph(table: np.ndarray) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["votes"]),
        helper.make_node("Cast", ["attention_mask"], ["counts"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["counts", "last"], ["weight"]),
        helper.make_node("Mul", ["votes", "weight"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "tokens"], ["logits"], keepdims=0),
    ]
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", 2])
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "tokens"),
    ]
    graph = helper.make_graph(nodes, "tiny", ids, [logits], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _save(model: onnx.ModelProto, folder: Path) -> None:
    (folder / WEIGHTS).unlink(missing_ok=True)
    onnx.save_model(
        model,
        folder / MODEL,
        save_as_external_data=True,
        location=WEIGHTS,
        size_threshold=100,
    )
