"""Reading compiled gettext catalogues (.mo): pairs of a source text and its translation."""

import struct
from collections.abc import Iterator

from training.errors import AssetBroken

LITTLE, BIG = b"\xde\x12\x04\x95", b"\x95\x04\x12\xde"
ORDERS = {LITTLE: "<", BIG: ">"}
CONTEXT, PLURAL = "\x04", "\x00"


def pairs(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield (source, translation), singular forms without their context; the header is left out.

    `AssetBroken` when `data` is no UTF-8 catalogue.
    """
    order = ORDERS.get(data[:4])
    if order is None:
        message = "not a gettext catalogue"
        raise AssetBroken(message)
    try:
        _, count, sources, translations = struct.unpack_from(order + "4I", data, 4)
        for index in range(count):
            source = _text(data, order, sources + 8 * index)
            if source:
                yield (
                    source.rpartition(CONTEXT)[2].partition(PLURAL)[0],
                    _text(data, order, translations + 8 * index).partition(PLURAL)[0],
                )
    except (struct.error, UnicodeDecodeError) as error:
        message = "a gettext catalogue is cut short"
        raise AssetBroken(message) from error


def _text(data: bytes, order: str, entry: int) -> str:
    length, start = struct.unpack_from(order + "2I", data, entry)
    return data[start : start + length].decode()
