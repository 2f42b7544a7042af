"""Records of a zip of PyTorch's: small ones read whole, storages located and checked."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from ..file_errors import DOWNLOAD_AGAIN, FormatError, damaged
from ._tensor_headers import Storage
from ._unpickling import MOST_BYTES
from ._zip_directory import Directory, locate


def read_record(file: BinaryIO, directory: Directory, name: str, most: int = MOST_BYTES) -> bytes:
    """The bytes of a record.

    Raises:
        FormatError: if it is larger than ``most``, compressed, or beyond the file.
    """
    record = directory.records[name]
    if record.size > most:
        text = f"{name!r} has {record.size} bytes, more than in any model"
        if most < MOST_BYTES:
            raise damaged(text)
        raise FormatError(
            "damaged-file",
            f"{text}: arrays or other objects are stored in it, where tensors are stored beside it",
            "save the weights as tensors (torch.from_numpy), or use the trainer's own file",
        )
    file.seek(locate(file, record, directory.start))
    return file.read(record.size)


def place_storages(
    file: BinaryIO, directory: Directory, root: str, storages: Mapping[str, Storage]
) -> None:
    """Locates the records ``ROOT/data/KEY`` of storages that a pickle names.

    Raises:
        FormatError: if a record is missing, of another size, or shared by two storages.
    """
    swapped = _byte_order(file, directory, root) != sys.byteorder
    for key, storage in storages.items():
        record = directory.records.get(f"{root}/data/{key}")
        if record is None:
            raise damaged(f"the values of storage {key[:40]!r} are missing")
        if record.size != storage.nbytes:
            raise FormatError(
                "tensor-too-large",
                f"storage {key[:40]!r} should have {storage.nbytes} bytes, "
                f"but its record has {record.size}",
                DOWNLOAD_AGAIN,
            )
        storage.position = locate(file, record, directory.start)
        storage.swapped = swapped
    check_no_overlap(storages.values())


def _byte_order(file: BinaryIO, directory: Directory, root: str) -> str:
    """``little`` or ``big``; older files do not say."""
    name = f"{root}/byteorder"
    if name not in directory.records:
        return "little"
    found = read_record(file, directory, name, 16)
    if found not in (b"little", b"big"):
        raise damaged("its byte order is not valid")
    return found.decode()


def check_no_overlap(storages: Iterable[Storage]) -> None:
    """Storages may not overlap, so that reading them all never takes more than the file.

    Raises:
        FormatError: if two of them do.
    """
    end = 0
    for start, length in sorted((storage.position, storage.nbytes) for storage in storages):
        if start < end:
            raise damaged("two storages in it share the same bytes")
        end = start + length
