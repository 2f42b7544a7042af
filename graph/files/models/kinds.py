"""Kinds of model files: a voice, a content encoder, a pitch model, an index.

The node family that reads a kind knows how to recognise it. The table ``FILE_KINDS`` of
``voicegraph.nodes`` names one module for each kind; it has a :class:`FileKind` called ``KIND``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.schemas.card import Card

from ._archive import Archive


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of model file.

    Attributes:
        name: as in the card: ``voice``, ``content-encoder``, ``pitch-model``, ``index``.
        noun: for messages, with its article: ``an RVC voice``.
        card: the card of a file, from its header alone; None if it is of another kind. The archive
            is None if the file is not an archive of tensors. Raises ``WeightsError`` if the file is
            of this kind, but broken.
        convert: tensors and card of the equivalent safetensors file.
    """

    name: str
    noun: str
    card: Callable[[Path, Archive | None], Card | None]
    convert: Callable[[Path, Archive | None], tuple[dict[str, torch.Tensor], Card]]


def kinds() -> list[FileKind]:
    """All kinds, in the order in which files are tried.

    Raises:
        RuntimeError: if the table names a missing module, or one without a ``KIND``.
    """
    table: dict[str, str] = importlib.import_module("voicegraph.nodes").FILE_KINDS
    return [_kind(name, f"voicegraph.nodes.{home}") for name, home in table.items()]


def _kind(name: str, module: str) -> FileKind:
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module and not module.startswith(f"{error.name}."):
            raise
        raise RuntimeError(f"FILE_KINDS has {name!r} in {module}, which is missing") from error
    kind = getattr(found, "KIND", None)
    if not isinstance(kind, FileKind) or kind.name != name:
        raise RuntimeError(f"FILE_KINDS has {name!r} in {module}, but its KIND is {kind!r}")
    return kind
