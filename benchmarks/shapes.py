"""The sizes of the models that are measured."""

from dataclasses import dataclass

VOCABULARY = 250_002
"""Pieces of the XLM-R tokenizer, and rows of every model's embeddings."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an XLM-R encoder's cost depends on."""

    layers: int
    width: int
    heads: int
    ffn: int
    vocabulary: int = VOCABULARY


SHAPES: dict[str, Shape] = {
    "toy": Shape(layers=2, width=64, heads=4, ffn=128),
    "base": Shape(layers=12, width=768, heads=12, ffn=3072),
    "large": Shape(layers=24, width=1024, heads=16, ffn=4096),
}
"""`base` and `large` are XLM-R's; `toy` is for trying the benchmarks themselves."""
