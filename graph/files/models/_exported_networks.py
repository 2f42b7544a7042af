"""Reads the weights in files of ``voicegraph export``: TorchScript, and programs of torch.export.

Both are zips with a program in them. It is neither run nor read: the card beside it says whose
network the file holds, and the tensors are found by their names in the module. So a file with a
changed program gives the same network as before, and a program of anybody else is refused.

Layout of TorchScript: torch/csrc/jit/docs/serialization.md. Of the others:
torch/csrc/export/pt2_archive_constants.h and torch/_export/serde/schema.py.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import BinaryIO

import torch
from pydantic import ValidationError

from voicegraph.schemas.card import METADATA_KEY
from voicegraph.schemas.export_card import MODEL_KEY, ExportCard

from ..file_errors import FormatError, damaged
from ._file_contents import FileContents
from ._pickle_allowlist import MOST_AXES, Inert
from ._tensor_headers import Storage, TensorHeader, is_addressable
from ._unpickling import unpickle
from ._zip_directory import Directory, locate
from ._zip_storages import check_no_overlap, place_storages, read_record

_MOST_TEXT = 1 << 20
"""Limit of a card, in bytes."""
_MOST_CONFIG = 16 << 20
"""Limit of the table of weights in a program of torch.export, in bytes."""
_DEEPEST = 64
_MOST_MODULES = 100_000
_WEIGHTS = "data/weights/"
_CONFIG = f"{_WEIGHTS}model_weights_config.json"
_DTYPES = {
    1: torch.uint8,
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    12: torch.bool,
    13: torch.bfloat16,
}
"""Numbers of ``ScalarType`` in the schema of torch.export."""
_STRIDED = 7
"""Number of ``Layout`` for tensors with strides."""


def read_exported(file: BinaryIO, directory: Directory) -> FileContents | None:
    """The weights of an exported network; None if the zip holds no program.

    Raises:
        FormatError: if the program is not one of ``voicegraph export``, or the file is damaged.
    """
    for name in directory.records:
        root, _, rest = name.partition("/")
        if rest in _PROGRAMS:
            break
    else:
        return None
    form, title, read = _PROGRAMS[rest]
    export = _export_card(file, directory, root)
    if export is None:
        raise FormatError(
            "not-weights",
            f"{title}, which contains code; only weights are read, and of programs those of "
            "`voicegraph export`",
            "get the checkpoint that the program was made from",
        )
    card = _json(file, directory, f"{root}/extra/{MODEL_KEY}")
    if card is not None and not isinstance(card.get("kind"), str):
        raise damaged("its card is not valid")
    return FileContents(form, read(file, directory, root), card, export=export)


def _export_card(file: BinaryIO, directory: Directory, root: str) -> ExportCard | None:
    """Our card; None if another program wrote the file."""
    found = _json(file, directory, f"{root}/extra/{METADATA_KEY}")
    if found is None or found.get("kind") != "export":
        return None
    try:
        return ExportCard.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FormatError(
            "unknown-card",
            f"its card is not understood ({place}: {first['msg']}): another version of voicegraph "
            "wrote it",
            "pip install --upgrade voicegraph, or export the network again",
        ) from None


def _json(
    file: BinaryIO, directory: Directory, name: str, most: int = _MOST_TEXT
) -> dict[str, object] | None:
    """An object in a record; None if there is no such record.

    Raises:
        FormatError: if it is too large, or anything but a JSON object.
    """
    if name not in directory.records:
        return None
    try:
        found = json.loads(read_record(file, directory, name, most).decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise damaged(f"{name[:80]!r} in it is not a JSON object")
    return found


# ---- TorchScript ------------------------------------------------------------------------------


def _torchscript(file: BinaryIO, directory: Directory, root: str) -> object:
    """The tensors of a TorchScript module. ``constants.pkl`` and the code are not read."""
    pickled = f"{root}/data.pkl"
    if pickled not in directory.records:
        raise damaged("it has no data.pkl")
    held = io.BytesIO(read_record(file, directory, pickled))
    tree, storages = unpickle(held, programs=True)
    place_storages(file, directory, root, storages)
    return _tensors_of(tree)


def _tensors_of(tree: object) -> dict[str, object]:
    """Nested names and tensors of a module and of those in it; everything else is left out."""
    made: dict[str, object] = {}
    pending: list[tuple[object, dict[str, object], int]] = [(tree, made, 0)]
    left = _MOST_MODULES
    while pending:
        module, into, depth = pending.pop()
        state = module.state if isinstance(module, Inert) else None
        if not isinstance(state, dict):
            continue
        left -= len(state)
        if left < 0 or depth > _DEEPEST:
            raise damaged("it has more modules than any network, or one that contains itself")
        for name, value in state.items():
            if isinstance(value, TensorHeader):
                into[str(name)] = value
            elif isinstance(value, Inert) and value.args is not None:
                into[str(name)] = inner = dict[str, object]()
                pending.append((value, inner, depth + 1))
    return made


# ---- torch.export -----------------------------------------------------------------------------


def _program(file: BinaryIO, directory: Directory, root: str) -> dict[str, object]:
    """The tensors of a program of torch.export, by their names in the module."""
    config = _json(file, directory, f"{root}/{_CONFIG}", _MOST_CONFIG)
    entries = None if config is None else config.get("config")
    if not isinstance(entries, dict):
        raise damaged("it has no table of weights")
    storages: dict[str, Storage] = {}
    found: dict[str, object] = {}
    for name, entry in entries.items():
        found[name] = _weight(file, directory, root, name, entry, storages)
    check_no_overlap(storages.values())
    return found


def _weight(
    file: BinaryIO,
    directory: Directory,
    root: str,
    name: str,
    entry: object,
    storages: dict[str, Storage],
) -> TensorHeader:
    """One entry of the table; tensors that share memory share a record."""
    match entry:
        case {
            "path_name": str(path),
            "use_pickle": False,
            "tensor_meta": {
                "dtype": int(kind),
                "sizes": list(sizes),
                "strides": list(strides),
                "storage_offset": offset,
                "layout": layout,
            },
        } if layout == _STRIDED and kind in _DTYPES:
            dtype = _DTYPES[kind]
        case _:
            raise damaged(f"its table of weights does not describe {name[:80]!r}")
    shape, stride = _numbers(sizes), _numbers(strides)
    (start,) = _numbers([offset])
    if len(shape) != len(stride) or len(shape) > MOST_AXES or not is_addressable(shape):
        raise damaged(f"the shape of {name[:80]!r} is not valid")
    if path not in storages:
        record = directory.records.get(f"{root}/{_WEIGHTS}{path}")
        if record is None:
            raise damaged(f"the values of {name[:80]!r} are missing")
        place = locate(file, record, directory.start)
        numel = record.size // dtype.itemsize
        storages[path] = Storage(path, dtype, numel, place, sys.byteorder != "little")
    storage = storages[path]
    header = TensorHeader(shape, dtype, storage, start, stride)
    if storage.dtype != dtype or max(start + header.extent, header.numel) > storage.numel:
        text = f"{name[:80]!r} of shape {shape} goes beyond its storage of {storage.numel} values"
        raise FormatError("tensor-too-large", text, "export the network again")
    return header


def _numbers(values: list[object]) -> tuple[int, ...]:
    """Sizes as the schema writes them: ``{"as_int": 3}``.

    Raises:
        FormatError: for a size that is a symbol, negative, or beyond any tensor.
    """
    found = []
    for value in values:
        number = value.get("as_int") if isinstance(value, Mapping) else None
        if type(number) is not int or not 0 <= number < 1 << 48:
            raise damaged("the shape of a tensor is not valid")
        found.append(number)
    return tuple(found)


_Read = Callable[[BinaryIO, Directory, str], object]
_PROGRAMS: Mapping[str, tuple[str, str, _Read]] = {
    "constants.pkl": ("torchscript", "a TorchScript program", _torchscript),
    "archive_format": ("pt2", "a program of torch.export", _program),
}
"""By a record that every such file has: form, noun for messages, and what reads the weights."""
