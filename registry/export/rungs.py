"""How each rung of the ladder is made of the fused fp32 graph."""

from collections.abc import Callable

from models.manifest import TOKENIZER
from registry.checkpoints.checkpoint import Checkpoint
from registry.export.blocks import blocks, down_projections, value_projections
from registry.export.dynamic import dynamic
from registry.export.files import Graph
from registry.export.gelu import fast_gelu
from registry.export.half import half
from registry.export.probe import Seen, made_up
from registry.export.rows import Recipe, rows
from registry.export.tables import eight_bits
from registry.export.trim import Trim, pieces
from registry.export.trimmed import trimmed

Look = Callable[[], Seen]
"""Runs the graph, when that is needed, and tells what its products were given."""

PLAIN, HALF = "fp32", "fp16"
FLOATS = frozenset({PLAIN, HALF})
"""Their word embeddings are in the type of their weights, whole."""
SMALL_BLOCK, LARGE_BLOCK = 32, 128
"""Weights that share one scale."""
ROWS = Recipe()
TOKENS = Recipe(fixed=False, steered=True)
MORE_APART = Recipe(channels=16, channels_narrowing=32, fixed=False, steered=True)

MADE: dict[str, Callable[[Graph, Look], Graph]] = {
    "int8-dynamic": lambda graph, _: dynamic(graph),
    "int8-rows": lambda graph, look: rows(graph, look(), ROWS),
    "int8-tokens": lambda graph, look: rows(graph, look(), TOKENS),
    "int8-tokens-c32": lambda graph, look: rows(graph, look(), MORE_APART),
    "int8-tokens-d32": lambda graph, look: rows(graph, look(), TOKENS, down_projections(graph)),
    "int8-dynamic-d8": lambda graph, _: blocks(
        dynamic(graph, down_projections(graph)), SMALL_BLOCK
    ),
    "int8-block128": lambda graph, _: blocks(graph, LARGE_BLOCK),
    "int8-block32-v32": lambda graph, _: blocks(graph, SMALL_BLOCK, value_projections(graph)),
    HALF: lambda graph, _: half(graph),
}


def make(rung: str, graph: Graph, checkpoint: Checkpoint, trim: Trim | None = None) -> Graph:
    """Return the graph of a rung; KeyError where there is none of that name.

    All but `fp32` and `fp16` have their word embeddings in 8 bits, a scale for each row; with
    `trim`, those of the pieces that it keeps.
    """
    if rung == PLAIN:
        return graph
    tokenizer = checkpoint.path / TOKENIZER

    def look() -> Seen:
        texts = made_up(tokenizer, checkpoint.max_tokens, checkpoint.pad_token_id)
        return Seen(graph, texts)

    made = MADE[rung](graph, look)
    if rung in FLOATS:
        return made
    made = fast_gelu(made)
    return eight_bits(trimmed(made, pieces(tokenizer, trim)) if trim else made)


def precision(rung: str, trim: Trim | None) -> str:
    """Return what a manifest calls a rung."""
    return f"{rung}-trimmed" if trim and rung not in FLOATS else rung
