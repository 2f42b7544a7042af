"""Reads files of ``torch.save``: the zip format since PyTorch 1.6, and the legacy format."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import PurePosixPath
from typing import BinaryIO

from ..file_errors import DOWNLOAD_AGAIN, FormatError, damaged
from ._tensor_headers import Storage
from ._unpickling import unpickle
from ._zip_directory import Directory
from ._zip_storages import place_storages, read_record

MAGIC = 0x1950A86A20F9469CFC6C
"""First value of a file in the legacy format."""
PROTOCOL = 1001

_NAMES_SHOWN = 4


def read_zip(file: BinaryIO, directory: Directory) -> object:
    """Reads the object tree of a zip; locates all storages and checks them against their records.

    Raises:
        FormatError: if PyTorch did not write it, or it is damaged or hostile.
    """
    root = _root(directory)
    tree, storages = unpickle(io.BytesIO(read_record(file, directory, f"{root}/data.pkl")))
    place_storages(file, directory, root, storages)
    return tree


def _root(directory: Directory) -> str:
    """The name of the top folder of a PyTorch archive."""
    pickles = [name for name in directory.records if name.endswith("/data.pkl")]
    roots = [name.removesuffix("/data.pkl") for name in pickles]
    roots = [root for root in roots if root and "/" not in root]
    if not roots:
        raise FormatError("not-weights", *_plain_zip(list(directory.records)))
    if len(roots) > 1:
        raise damaged("the zip holds several PyTorch archives")
    return roots[0]


def _plain_zip(names: list[str]) -> tuple[str, str]:
    shown = ", ".join(PurePosixPath(name).name[:60] for name in names[:_NAMES_SHOWN]) or "nothing"
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return (
        f"a zip with other files in it ({shown}{more}), not a PyTorch file",
        "unpack it, and give the file in it",
    )


def is_legacy(start: bytes) -> bool:
    """Whether a file may be in the legacy format: a pickle of its magic number."""
    return start[:1] == b"\x80" and MAGIC.to_bytes(10, "little") in start[:24]


def read_legacy(file: BinaryIO, size: int) -> object:
    """Reads a file in the legacy format: pickles, keys, then the values of each storage.

    Raises:
        FormatError: if it is damaged or hostile.
    """

    def take() -> tuple[object, dict[str, Storage]]:
        return unpickle(file, size - file.tell())

    magic, protocol, system = (take()[0] for _ in range(3))
    if (magic, protocol) != (MAGIC, PROTOCOL) or not isinstance(system, dict):
        raise damaged("it starts like a PyTorch file, but does not continue like one")
    order = "little" if system.get("little_endian", True) else "big"
    tree, storages = take()
    keys = take()[0]
    names = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else None
    if names is None or sorted(names) != sorted(storages):
        raise damaged("its list of storages does not match its tensors")
    for name in names:
        _locate_legacy(file, size, storages[name], order)
    return tree


def _locate_legacy(file: BinaryIO, size: int, storage: Storage, order: str) -> None:
    """Reads the count, and skips the values."""
    found = file.read(8)
    if len(found) < 8:
        raise truncated(size)
    (count,) = struct.unpack("<q" if order == "little" else ">q", found)
    if count != storage.numel:
        raise damaged(f"storage {storage.key[:40]!r} has {count} values, not {storage.numel}")
    storage.position = file.tell()
    storage.swapped = order != sys.byteorder
    if storage.position + storage.nbytes > size:
        raise truncated(size)
    file.seek(storage.position + storage.nbytes)


def truncated(size: int) -> FormatError:
    """The error for a file that ends before its tensors do."""
    return FormatError(
        "truncated-file",
        f"its tensors extend beyond its {size} bytes: the download or copy is not complete",
        DOWNLOAD_AGAIN,
    )
