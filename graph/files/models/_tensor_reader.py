"""Reads tensors from a file into memory, each with one read and without further copies."""

from __future__ import annotations

from collections.abc import Mapping
from io import FileIO

import torch

from ..file_errors import FormatError
from ..private_copy import read_into
from ._tensor_headers import TensorHeader
from ._torch_files import truncated


@torch.inference_mode(False)
def read_tensors(file: FileIO, wanted: Mapping[str, TensorHeader]) -> dict[str, torch.Tensor]:
    """Reads tensors in file order, so that the disk reads sequentially.

    Raises:
        FormatError: if a tensor holds NaN or infinity, or the file ends too early.
    """
    in_order = sorted(wanted, key=lambda name: _place(wanted[name]))
    found = {name: _read(file, wanted[name]) for name in in_order}
    broken = [name for name in wanted if not _finite(found[name])]
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        raise FormatError(
            "non-finite-weights",
            f"{', '.join(broken[:3])}{more} hold NaN or infinity: the model is broken, or its "
            "training failed",
            "use an earlier checkpoint of it",
        )
    return {name: found[name] for name in wanted}


@torch.inference_mode(False)
def read_setting(file: FileIO, header: TensorHeader) -> torch.Tensor:
    """Reads a tensor that is a setting, not a weight: it may hold NaN or infinity."""
    return _read(file, header)


def _place(header: TensorHeader) -> int:
    return header.storage.position if header.storage else -1


def _read(file: FileIO, header: TensorHeader) -> torch.Tensor:
    storage, size = header.storage, header.dtype.itemsize
    if storage is None or not header.numel:
        return torch.empty(header.shape, dtype=header.dtype)
    values = torch.empty(header.extent * size, dtype=torch.uint8)
    file.seek(storage.position + header.offset * size)
    if not read_into(file, values.numpy().data):
        raise truncated(file.seek(0, 2))
    if storage.swapped and size > 1:
        values.numpy().view(f"u{size}").byteswap(inplace=True)
    if header.dtype == torch.bool:
        values = values.ne(0)
    flat = values.view(header.dtype)
    return flat.as_strided(header.shape, header.stride).contiguous()


def _finite(tensor: torch.Tensor) -> bool:
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    low, high = torch.aminmax(tensor)
    return bool(torch.isfinite(low) and torch.isfinite(high))
