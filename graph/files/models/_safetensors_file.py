"""Reads safetensors headers: JSON, followed by the values.

The format's own library maps files into memory, where others could change what was checked, or kill
the process by truncating it. So its checks are made here, on the bytes that were read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import BinaryIO

import torch

from voicegraph.schemas.card import METADATA_KEY

from ..file_errors import FormatError, damaged
from ._tensor_headers import Storage, TensorHeader, is_addressable

MOST_BYTES = 16 << 20
"""Limit of the header. A voice's has about 0.1 MB."""
_MOST_AXES = 64
_DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def is_safetensors(start: bytes) -> bool:
    """Whether a file starts with the length of a header and an opening brace."""
    return len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 40


def read_safetensors(
    file: BinaryIO, size: int
) -> tuple[dict[str, TensorHeader], dict[str, object] | None, dict[str, str]]:
    """Headers of all tensors, the card if there is one, and the other metadata.

    Raises:
        FormatError: if the header is damaged, or does not fit the file.
    """
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > min(MOST_BYTES, size - 8):
        raise damaged(f"its header should have {length} bytes, but the file has {size}")
    header = _parsed(file.read(length))
    metadata = header.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _invalid("its metadata is not text")
    tree = {name: _tensor(name, entry, 8 + length) for name, entry in header.items()}
    _check_gapless(tree.values(), 8 + length, size)
    card = _card(metadata.get(METADATA_KEY))
    others = {key: text for key, text in metadata.items() if key != METADATA_KEY}
    return tree, card, others


def _parsed(text: bytes) -> dict[str, object]:
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise _invalid("it is not a JSON object")
    return header


def _invalid(why: str) -> FormatError:
    return damaged(f"its safetensors header is not valid: {why}")


def _check_gapless(headers: Iterable[TensorHeader], start: int, size: int) -> None:
    """Checks that the values fill the file, without gaps and without overlap."""
    for storage in sorted((h.storage for h in headers if h.storage), key=_span):
        if storage.position != start:
            raise _invalid(f"{storage.key[:80]!r} does not begin where the one before it ends")
        start += storage.nbytes
    if start != size:
        raise _invalid(f"its tensors end at byte {start}, but the file has {size}")


def _span(storage: Storage) -> tuple[int, int]:
    return storage.position, storage.nbytes


def _tensor(name: str, entry: object, start: int) -> TensorHeader:
    match entry:
        case {"dtype": str(kind), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            dtype = _DTYPES.get(kind)
        case _:
            raise damaged(f"its header does not describe {name[:80]!r}")
    if dtype is None:
        raise FormatError(
            "unknown-dtype",
            f"{name[:80]!r} is of type {kind[:20]}, not one of {', '.join(_DTYPES)}",
            "save it in one of them",
        )
    if not all(type(n) is int and n >= 0 for n in (*shape, begin, end)):
        raise _invalid(f"the sizes of {name[:80]!r} are not numbers of values")
    if len(shape) > _MOST_AXES or not is_addressable(shape):
        raise _invalid(f"{name[:80]!r} has more values than any tensor")
    header = TensorHeader(tuple(shape), dtype)
    if header.nbytes != end - begin:
        raise _invalid(f"{name[:80]!r} of {header.nbytes} bytes has {end - begin} in the file")
    stride = torch.empty(header.shape, device="meta").stride()
    storage = Storage(name, dtype, header.numel, start + begin)
    storage.swapped = sys.byteorder != "little"
    return TensorHeader(header.shape, dtype, storage, 0, tuple(stride))


def _card(text: object) -> dict[str, object] | None:
    if text is None:
        return None
    try:
        card = json.loads(str(text))
    except (ValueError, RecursionError):
        card = None
    if not isinstance(card, dict) or not isinstance(card.get("kind"), str):
        raise damaged("its card is not valid")
    return card
