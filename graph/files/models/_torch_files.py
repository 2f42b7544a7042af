"""Files of ``torch.save``: the zip that PyTorch writes since 1.6, and the form before it."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import PurePosixPath
from typing import BinaryIO

from ._tensor_headers import Storage
from ._unpickling import MOST_BYTES, unpickle
from ._zip_directory import Directory, locate, read_directory
from .file_errors import AGAIN, RefusalError, damaged

MAGIC = 0x1950A86A20F9469CFC6C
"""First value of a file in the older form."""
PROTOCOL = 1001

_NAMES_SHOWN = 4


def read_zip(file: BinaryIO, size: int) -> object:
    """The tree of a zip, all storages located and compared with their records.

    Raises:
        RefusalError: if it is no archive of PyTorch, damaged or hostile.
    """
    directory = read_directory(file, size)
    root = _root(directory)
    tree, storages = unpickle(io.BytesIO(_content(file, directory, f"{root}/data.pkl")))
    swapped = _order(file, directory, root) != sys.byteorder
    taken: list[tuple[int, int]] = []
    for key, storage in storages.items():
        record = directory.records.get(f"{root}/data/{key}")
        if record is None:
            raise damaged(f"the values of storage {key[:40]!r} are not in it")
        if record.size != storage.nbytes:
            raise RefusalError(
                "tensor-too-large",
                f"storage {key[:40]!r} should have {storage.nbytes} bytes, "
                f"but its record has {record.size}",
                AGAIN,
            )
        storage.position = locate(file, record, directory.start)
        storage.swapped = swapped
        taken.append((storage.position, storage.nbytes))
    _check_apart(taken)
    return tree


def _root(directory: Directory) -> str:
    """The one folder of an archive of PyTorch."""
    pickles = [name for name in directory.records if name.endswith("/data.pkl")]
    roots = [name.removesuffix("/data.pkl") for name in pickles]
    roots = [root for root in roots if root and "/" not in root]
    if not roots:
        raise RefusalError("not-weights", *_plain_zip(list(directory.records)))
    if len(roots) > 1:
        raise damaged("the zip holds several archives of PyTorch")
    if f"{roots[0]}/constants.pkl" in directory.records:
        raise RefusalError(
            "not-weights",
            "a TorchScript program, which holds code; only weights are taken",
            "get the checkpoint that the program was made from",
        )
    return roots[0]


def _plain_zip(names: list[str]) -> tuple[str, str]:
    shown = ", ".join(PurePosixPath(name).name[:60] for name in names[:_NAMES_SHOWN]) or "nothing"
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return (
        f"a zip with other files inside ({shown}{more}), not a file of PyTorch",
        "unpack it, and give the file inside",
    )


def _content(file: BinaryIO, directory: Directory, name: str, most: int = MOST_BYTES) -> bytes:
    record = directory.records[name]
    if record.size > most:
        raise damaged(f"{name!r} has {record.size} bytes, more than that of any model")
    file.seek(locate(file, record, directory.start))
    return file.read(record.size)


def _order(file: BinaryIO, directory: Directory, root: str) -> str:
    """``little`` or ``big``: how the bytes of a value stand; older files do not say."""
    name = f"{root}/byteorder"
    if name not in directory.records:
        return "little"
    found = _content(file, directory, name, 16)
    if found not in (b"little", b"big"):
        raise damaged("it does not say in which order its bytes stand")
    return found.decode()


def _check_apart(taken: list[tuple[int, int]]) -> None:
    """No two storages share bytes: what is read is never more than the file."""
    end = 0
    for start, length in sorted(taken):
        if start < end:
            raise damaged("two storages in it share the same bytes")
        end = start + length


def is_legacy(start: bytes) -> bool:
    """Whether a file may be in the older form: its magic number, in protocol 2 or newer."""
    return start[:1] == b"\x80" and MAGIC.to_bytes(10, "little") in start[:24]


def read_legacy(file: BinaryIO, size: int) -> object:
    """The tree of a file in the older form: pickles, keys, then the values of each storage.

    Raises:
        RefusalError: if it is damaged or hostile.
    """

    def take() -> tuple[object, dict[str, Storage]]:
        return unpickle(file, size - file.tell())

    magic, protocol, system = (take()[0] for _ in range(3))
    if (magic, protocol) != (MAGIC, PROTOCOL) or not isinstance(system, dict):
        raise damaged("it begins like a file of PyTorch, but goes on otherwise")
    order = "little" if system.get("little_endian", True) else "big"
    tree, storages = take()
    keys = take()[0]
    names = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else None
    if names is None or sorted(names) != sorted(storages):
        raise damaged("the list of its storages is not that of its tensors")
    for name in names:
        _locate_legacy(file, size, storages[name], order)
    return tree


def _locate_legacy(file: BinaryIO, size: int, storage: Storage, order: str) -> None:
    """Count, then values; the file stands behind them afterwards."""
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


def truncated(size: int) -> RefusalError:
    """The file ends before its tensors do."""
    return RefusalError(
        "truncated-file",
        f"its tensors go beyond its {size} bytes: the download or copy is not complete",
        AGAIN,
    )
