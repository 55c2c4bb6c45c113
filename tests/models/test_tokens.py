from pathlib import Path

import numpy as np
from tokenizers import Tokenizer as HFTokenizer
from tokenizers import models, pre_tokenizers, processors

from models.tokens import Tokenizer, Tokenizers, pad
from tests.tiny import write_tiny


def test_text_that_is_cut_keeps_its_closing_token() -> None:
    """A model sees a whole sentence frame, however long the text."""
    words = {"<s>": 0, "</s>": 1, "a": 2}
    backend = HFTokenizer(models.WordLevel(words, "a"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )

    [row] = Tokenizer(backend).encode(["a " * 50], max_tokens=8)

    assert row == [0, 2, 2, 2, 2, 2, 2, 1]


def test_two_models_with_one_tokenizer_share_it(tmp_path: Path) -> None:
    """What is loaded once is never loaded again, whatever folder it lies in."""
    tokenizers = Tokenizers()
    opened = [
        tokenizers.open(tmp_path / language, write_tiny(tmp_path / language, language))
        for language in ("en", "de")
    ]

    assert opened[0] is opened[1]


def test_rows_are_padded_on_the_right() -> None:
    """A batch is a rectangle; the mask tells what is real."""
    batch = pad([[5], [6, 7, 8]], pad_token_id=1)

    assert np.array_equal(batch.input_ids, [[5, 1, 1], [6, 7, 8]])
    assert np.array_equal(batch.attention_mask, [[1, 0, 0], [1, 1, 1]])
