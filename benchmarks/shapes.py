"""The sizes of the models that are measured."""

from dataclasses import replace

from benchmarks.clones import BASE, LARGE, TINY, Shape

VOCABULARY = 250_002
"""Pieces of the XLM-R tokenizer, and rows of every model's embeddings."""

SHAPES: dict[str, Shape] = {
    "toy": replace(TINY, vocabulary=VOCABULARY),
    "base": replace(BASE, vocabulary=VOCABULARY),
    "large": replace(LARGE, vocabulary=VOCABULARY),
}
"""`base` and `large` are XLM-R's; `toy` is for trying the benchmarks themselves."""
