"""Reads safetensors headers: JSON, followed by the values."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError, safe_open

from voicegraph.schemas.card import METADATA_KEY

from ...regular_file import require_regular
from ._tensor_headers import Storage, TensorHeader
from .file_errors import DOWNLOAD_AGAIN, FormatError, damaged

MOST_BYTES = 16 << 20
"""Limit of the header. A voice's has about 0.1 MB."""
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
    path: Path, file: BinaryIO, size: int
) -> tuple[dict[str, TensorHeader], dict[str, object] | None]:
    """Headers of all tensors, and the card if there is one.

    Raises:
        FormatError: if the header is damaged, or does not fit the file.
    """
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > min(MOST_BYTES, size - 8):
        raise damaged(f"its header should have {length} bytes, but the file has {size}")
    header = _checked_header(path, file.read(length))
    metadata = header.pop("__metadata__", None) or {}
    tree = {name: _tensor(name, entry, 8 + length) for name, entry in header.items()}
    return tree, _card(metadata.get(METADATA_KEY))


def _checked_header(path: Path, text: bytes) -> dict[str, dict[str, object]]:
    """Lets the format's own library check types, and that the values fill the file without gaps."""
    try:
        require_regular(path)
        with safe_open(path, "pt") as file:
            file.keys()
        return json.loads(text)
    except (SafetensorError, ValueError, OSError, RecursionError) as error:
        said = str(error).removeprefix("Error while deserializing header: ").splitlines() or [""]
        raise FormatError(
            "damaged-file", f"its safetensors header is not valid: {said[0][:200]}", DOWNLOAD_AGAIN
        ) from None


def _tensor(name: str, entry: dict[str, object], start: int) -> TensorHeader:
    match entry:
        case {"dtype": str(kind), "shape": list(shape), "data_offsets": [int(begin), int()]}:
            dtype = _DTYPES.get(kind)
        case _:
            raise damaged(f"its header does not describe {name[:80]!r}")
    if dtype is None:
        raise FormatError(
            "unknown-dtype",
            f"{name[:80]!r} is of type {kind[:20]}, not one of {', '.join(_DTYPES)}",
            "save it in one of them",
        )
    shape = tuple(int(n) for n in shape)
    stride = torch.empty(shape, device="meta").stride()
    storage = Storage(name, dtype, TensorHeader(shape, dtype).numel, start + begin)
    storage.swapped = sys.byteorder != "little"
    return TensorHeader(shape, dtype, storage, 0, tuple(stride))


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
