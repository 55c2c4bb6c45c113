import numpy as np
import numpy.typing as npt
import pytest

from training.e5 import Q4File
from training.errors import AssetBroken

Tensors = dict[str, npt.NDArray[np.float32]]


def test_sizes_are_those_of_the_file(q4: bytes, tensors: Tensors) -> None:
    """The shape of the encoder is read, not assumed."""
    sizes = Q4File(q4).sizes

    assert (sizes.vocabulary, sizes.hidden) == tensors["emb.word"].shape
    assert (sizes.layers, sizes.heads) == (1, 2)
    assert sizes.epsilon == pytest.approx(1e-12)


def test_four_bit_tensor_is_near_the_original(q4: bytes, tensors: Tensors) -> None:
    """Each number is within half a step of its block's scale."""
    wanted = tensors["l0.fi.w"]

    found = Q4File(q4).tensor("l0.fi.w", *wanted.shape)

    step = np.abs(wanted.reshape(-1, 32)).max(axis=1) / 7
    error = np.abs(found - wanted).reshape(-1, 32).max(axis=1)
    assert (error <= 0.51 * step).all()


def test_float_tensor_is_exact(q4: bytes, tensors: Tensors) -> None:
    """Biases and norms are stored whole."""
    wanted = tensors["l0.fi.b"]

    assert (Q4File(q4).tensor("l0.fi.b", *wanted.shape) == wanted).all()


def test_rows_are_those_of_the_whole_tensor(q4: bytes, tensors: Tensors) -> None:
    """A language's rows are decoded alone, and come out the same."""
    shape, file = tensors["emb.word"].shape, Q4File(q4)
    chosen = np.array([7, 0, 3])

    assert (file.rows("emb.word", chosen, *shape) == file.tensor("emb.word", *shape)[chosen]).all()


def test_tensor_of_another_shape_is_refused(q4: bytes) -> None:
    """A file of another model is not read as this one."""
    with pytest.raises(AssetBroken, match=r"emb\.pos"):
        Q4File(q4).tensor("emb.pos", 1, 1)


@pytest.mark.parametrize("data", [b"", b"GGUF" + bytes(99), b"E5S1" + bytes(9)])
def test_other_files_are_refused(data: bytes) -> None:
    """Foreign and cut files have one error."""
    with pytest.raises(AssetBroken):
        Q4File(data)
