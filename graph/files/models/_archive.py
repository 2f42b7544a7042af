"""Opens files of tensors: shapes and plain values at once, weights on demand.

No code in a file is run, every stated size is checked against the file, and no memory is allocated
for tensors before :meth:`Archive.read`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import BinaryIO, TypeVar

import torch

from voicegraph.schemas.export_card import ExportCard

from ...file_contents import Version
from ...model_folder import SHARD_LISTS, WEIGHTS
from ...regular_file import open_regular, open_regular_unbuffered
from ..file_errors import FormatError, damaged, unreadable
from ..private_copy import changed, version
from ._exported_networks import read_exported
from ._file_contents import FileContents
from ._folders import weights_file
from ._magic import describe_magic
from ._safetensors_file import is_safetensors, read_safetensors
from ._shards import listed_shards
from ._tensor_headers import TensorHeader
from ._tensor_reader import read_setting, read_tensors
from ._torch_files import is_legacy, read_legacy, read_zip
from ._zip_directory import read_directory

MOST_PARTS = 200_000
"""Limit of nodes in the object tree; shared parts count at each place where they appear."""
DEEPEST = 64
"""Limit of nesting."""
LONGEST_NAME = 1000
"""Limit of characters in a dotted path."""
_MOST_VIEWS = 8
"""Limit of the bytes of all tensors, in sizes of the file: tensors may share storage."""
_CONFIG_BYTES = 1 << 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """The contents of a file of tensors, without their values.

    Attributes:
        path: as given; a folder for a Hugging Face model.
        file: the file itself.
        form: ``torch``, ``torch-legacy``, ``safetensors``, ``torchscript`` or ``pt2``; of the last
            two only what ``voicegraph export`` writes is read.
        size: of the file, in bytes.
        tree: dicts, lists and plain values as stored, with a :class:`TensorHeader` for each tensor
            and an :class:`Inert` for each other object.
        tensors: all tensors by dotted path through the tree, such as ``weight.emb_g.weight``.
        config: ``config.json`` of a Hugging Face folder, else empty.
        card: the entry ``voicegraph`` in the header of a converted file, or that of the model in an
            exported network; else None.
        export: whose network it is, of a file of ``voicegraph export``; else None.
        metadata: the other text in a safetensors header, by key.
        shards: the files of a Hugging Face model in several files; ``file`` is then the one that
            changed last, and ``size`` that of all.
    """

    path: Path
    file: Path
    form: str
    size: int
    tree: object
    tensors: dict[str, TensorHeader]
    config: dict[str, object]
    card: dict[str, object] | None
    _version: Version = field(repr=False)
    shards: tuple[Archive, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    export: ExportCard | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that hold tensors."""
        return tuple(shard.file for shard in self.shards) or (self.file,)

    def read(self, names: Iterable[str]) -> dict[str, torch.Tensor]:
        """Reads tensors by name, as stored, each into memory of its own.

        Raises:
            WeightsError: if a tensor holds NaN or infinity, or the file has changed.
            KeyError: if a name is not in ``tensors``.
        """
        wanted = {name: self.tensors[name] for name in names}
        if self.shards:
            inside = ((shard, [n for n in wanted if n in shard.tensors]) for shard in self.shards)
            found = {k: v for shard, own in inside for k, v in shard.read(own).items()}
            return {name: found[name] for name in wanted}
        return self._read(lambda file: read_tensors(file, wanted))

    def read_setting(self, header: TensorHeader) -> torch.Tensor:
        """Reads a tensor that stands where a number or a list is expected; it may hold NaN.

        Args:
            header: of a tensor in ``tree``; not of a model in several files.

        Raises:
            WeightsError: if the file has changed.
        """
        return self._read(lambda file: read_setting(file, header))

    def _read(self, read: Callable[[FileIO], T]) -> T:
        try:
            with open_regular_unbuffered(self.file) as file:
                self._check_same(file)
                found = read(file)
                self._check_same(file)  # what was read while it was written to is a mixture
                return found
        except FormatError as refused:
            raise refused.at(self.file) from None
        except OSError as error:
            raise unreadable(self.file, error) from None

    def _check_same(self, file: BinaryIO) -> None:
        if version(file) != self._version:
            raise changed("it changed after its header was read")


def open_archive(path: str | Path) -> Archive:
    """Reads the header of a ``.pth``, ``.pt``, ``.bin`` or ``.safetensors``, or of a folder.

    Raises:
        WeightsError: if it is missing, damaged, hostile or of another format.
    """
    path = Path(path)
    try:
        file = weights_file(path)
        if file.name in SHARD_LISTS:
            return _open_shards(path, file)
        with open_regular(file) as stream:
            opened = version(stream)
            size = opened[0]
            contents = _read(stream, size)
        tensors = dict(_tensors(contents.tree))
        _check_total(tensors, size)
        config = _config(file.parent) if file.name in WEIGHTS else {}
    except FormatError as refused:
        raise refused.at(path) from None
    except OSError as error:
        raise unreadable(path, error) from None
    return Archive(
        path,
        file,
        contents.form,
        size,
        contents.tree,
        tensors,
        config,
        contents.card,
        opened,
        metadata=contents.metadata,
        export=contents.export,
    )


def _open_shards(path: Path, listing: Path) -> Archive:
    """Joins the shards of a model into one archive."""
    listed = {open_archive(file): names for file, names in listed_shards(listing).items()}
    tensors: dict[str, TensorHeader] = {}
    for shard, names in listed.items():
        absent = next((name for name in names if name not in shard.tensors), None)
        if absent is not None:
            raise damaged(f"{listing.name} names {absent[:80]!r}, which is not in that file")
        if names_twice := shard.tensors.keys() & tensors.keys():
            raise damaged(f"it holds two tensors of the name {min(names_twice)[:80]!r}")
        tensors.update(shard.tensors)
    newest = max(listed, key=lambda shard: shard._version[1])
    return replace(
        newest,
        path=path,
        size=sum(shard.size for shard in listed),
        tree=dict(tensors),
        tensors=tensors,
        config=_config(listing.parent),
        card=None,
        shards=tuple(listed),
    )


def _read(stream: BinaryIO, size: int) -> FileContents:
    """Reads what a file holds beside the values of its tensors."""
    start = stream.read(512)
    stream.seek(0)
    if start[:4] == b"PK\3\4":
        directory = read_directory(stream, size)
        exported = read_exported(stream, directory)
        return exported or FileContents("torch", read_zip(stream, directory))
    if is_legacy(start):
        return FileContents("torch-legacy", read_legacy(stream, size))
    if is_safetensors(start):
        return FileContents("safetensors", *read_safetensors(stream, size))
    found, fix = describe_magic(start, size)
    raise FormatError("not-weights", f"{found}, not a file of weights", fix)


def _config(folder: Path) -> dict[str, object]:
    path = folder / "config.json"
    if not path.is_file():
        return {}
    try:
        with open_regular(path) as file:
            found = json.loads(file.read(_CONFIG_BYTES))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise damaged("config.json beside it is not a JSON object")
    return found


def _tensors(tree: object) -> Iterator[tuple[str, TensorHeader]]:
    """Names and headers in the order of the tree. A container that contains itself is an error."""
    left, seen = MOST_PARTS, set[str]()
    pending: list[tuple[str, object, int]] = [("", tree, 0)]
    while pending:
        name, value, depth = pending.pop()
        if isinstance(value, TensorHeader):
            if name in seen:
                raise damaged(f"it holds two tensors of the name {name[:80]!r}")
            seen.add(name)
            yield name, value
            continue
        items = _items(value)
        left -= len(items)
        if left < 0 or depth > DEEPEST or len(name) > LONGEST_NAME:
            raise FormatError(
                "pickle-too-large",
                "its object tree is larger than that of any model: it may be designed to exhaust "
                "memory",
                "do not use this file; get the model from where its author publishes it",
            )
        pending += [
            (_join(name, key), item, depth + 1)
            for key, item in reversed(items)
            if isinstance(item, (dict, list, tuple, TensorHeader))
        ]


def _join(name: str, key: object) -> str:
    """Appends a part to a path. Long keys are cut, but still exceed the limit."""
    part = (key if isinstance(key, str) else repr(key))[: LONGEST_NAME + 1]
    return f"{name}.{part}" if name else part


def _items(value: object) -> list[tuple[object, object]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, (list, tuple)):
        return list(enumerate(value))
    return []


def _check_total(tensors: dict[str, TensorHeader], size: int) -> None:
    """Tensors may share storage (tied weights), but only a few times."""
    total = sum(header.nbytes for header in tensors.values())
    if total > _MOST_VIEWS * size:
        raise FormatError(
            "tensor-too-large",
            f"its tensors would take {total} bytes, but it has {size}",
            "get the file again from where its author publishes it",
        )
