"""What the products of a graph are given while it runs on made-up texts."""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from models.engine.onnx import session_options
from models.tokens import Batch, pad
from registry.export.files import Array, Graph, by_input

TEXTS = 48
SHORTEST, LONGEST = 4, 60
"""Tokens of a text, without the special ones."""
ROWS_AT_ONCE = 16
PROBE = ".probe.onnx"


class Seen:
    """The inputs of all constant products: tokens that are no padding, (tokens, channels)."""

    def __init__(self, graph: Graph, batches: list[Batch]) -> None:
        """Run a graph that lies in its folder."""
        self._values: dict[str, list[Array]] = {name: [] for name in by_input(graph.products())}
        probe = graph.folder / PROBE
        try:
            self._run(graph, probe, batches)
        finally:
            probe.unlink(missing_ok=True)

    def __call__(self, name: str) -> Array:
        """Return what was seen of one input."""
        return np.concatenate(self._values[name])

    def _run(self, graph: Graph, probe: Path, batches: list[Batch]) -> None:
        import onnx  # noqa: PLC0415  (heavy)
        import onnxruntime  # noqa: PLC0415

        model = type(graph.model)()
        model.CopyFrom(graph.model)
        for name in self._values:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, 1, None))
        onnx.save_model(model, probe)
        session = onnxruntime.InferenceSession(
            probe, session_options(threads=1), providers=["CPUExecutionProvider"]
        )
        for batch in batches:
            feeds = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            found = session.run(list(self._values), feeds)
            for kept, array in zip(self._values.values(), found, strict=True):
                kept.append(_tokens(array, batch.attention_mask))


def _tokens(array: Array, mask: Array) -> Array:
    """Return the rows that are no padding; all, where they are no tokens (relative positions)."""
    if array.shape[:2] == mask.shape:
        array = array[mask == 1]
    rows: Array = array.reshape(-1, array.shape[-1])
    return rows


def made_up(tokenizer: Path, most: int, pad_token_id: int) -> list[Batch]:
    """Return texts of random pieces, frequent ones more often, of at most so many tokens.

    No language's texts are needed then; which channels are loud, real texts show no better.
    The same tokenizer gives the same texts.
    """
    backend = Tokenizer.from_file(str(tokenizer))
    backend.no_padding()
    backend.no_truncation()
    frame = backend.encode("").ids
    special = {*frame, *backend.get_added_tokens_decoder()}
    count = backend.get_vocab_size(with_added_tokens=False)
    chance = np.random.default_rng(0)
    longest = max(1, min(LONGEST, most - len(frame)))
    texts = []
    for _ in range(TEXTS):
        length = int(chance.integers(min(SHORTEST, longest), longest + 1))
        drawn = (count * chance.random(length) ** 2).astype(np.int64)
        texts.append(frame[:-1] + [int(i) for i in drawn if i not in special] + frame[-1:])
    texts.sort(key=len)
    return [
        pad(texts[start : start + ROWS_AT_ONCE], pad_token_id)
        for start in range(0, TEXTS, ROWS_AT_ONCE)
    ]
