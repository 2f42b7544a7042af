"""FAISS indexes as files: as FAISS writes them, or converted to safetensors.

A converted file holds the card and the serialised index, unchanged, as one tensor of bytes called
``index``, and gives identical results. A source-filter voice may hold an index in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from voicegraph.graph import Problem, open_regular
from voicegraph.graph.files.models import (
    Archive,
    ModelFile,
    WeightsError,
    open_archive,
    read_private,
)
from voicegraph.graph.files.models.model_file import Unusable, believed
from voicegraph.schemas.index_card import IndexCard

from ._cursor import Cursor, MalformedError, MemoryCursor
from ._index_layout import METRICS, Layout
from ._index_names import begins_index
from ._index_reader import MissingVectorsError, read_layout
from ._index_repair import recounting_line

TENSOR = "index"
"""Name of the tensor in a converted file."""
_HOLDERS = ("index", "source-filter-voice")
"""Kinds of files that hold an index."""
_FIX = "use the voice's added_*.index"


@dataclass(frozen=True, slots=True)
class Located:
    """An index in a file: the position of its bytes, and what its headers say."""

    path: Path
    start: int
    size: int
    layout: Layout

    def read(self) -> IndexBytes:
        """Reads the index into memory, and checks what was read.

        Raises:
            WeightsError: if it cannot be read, or is damaged.
        """
        data = read_private(self.path, self.start, self.size)
        return IndexBytes(self.path, data, _checked(self.path, MemoryCursor(data)))


@dataclass(frozen=True, slots=True, eq=False)
class IndexBytes:
    """An index in memory, out of reach of whoever writes to its file.

    Attributes:
        path: of the file that it was read from.
        data: the serialised index: uint8 ``[bytes]``.
        layout: read from these bytes, which are checked.
    """

    path: Path
    data: np.ndarray
    layout: Layout


def locate(path: Path) -> Located | None:
    """Finds the index in a file without loading it; None if the file holds other tensors.

    Raises:
        WeightsError: if the file cannot be read, is neither an index nor a file of tensors, or is
            a damaged index.
    """
    if _begins_index(path):
        return _located(path, 0, path.stat().st_size)
    if path.is_dir():
        text = f"{path}: a folder, not a FAISS index"
        raise WeightsError(Problem("not-weights", text, fix=_FIX))
    try:
        archive = open_archive(path)
        return locate_within(archive) if _holds(archive, *_HOLDERS) else None
    except WeightsError as error:
        raise _as_index(error) from None


def _as_index(error: WeightsError) -> WeightsError:
    (problem,) = error.problems
    if problem.code != "not-weights":
        return error
    message = problem.message.replace("not a file of weights", "not a FAISS index")
    return WeightsError(replace(problem, message=message, fix=_FIX))


def _begins_index(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return begins_index(file.read(4))
    except (OSError, ValueError):
        return False  # whatever opens it next reports what is wrong


def locate_within(archive: Archive) -> Located:
    """Finds the index that a file of tensors holds.

    Raises:
        WeightsError: if it is missing or damaged.
    """
    header = archive.tensors.get(TENSOR)
    if header is None or header.storage is None or header.dtype != torch.uint8:
        raise IndexFile.broken(archive.path, "the bytes that its card describes are not in it")
    return _located(archive.file, header.storage.position, header.numel)


def _holds(archive: Archive, *kinds: str) -> bool:
    """Whether a file is of one of these kinds and holds an index, which a voice need not."""
    kind = archive.card.get("kind") if archive.card else None
    return kind in kinds and (kind == IndexFile.name or TENSOR in archive.tensors)


def _located(path: Path, start: int, size: int) -> Located:
    try:
        with open_regular(path) as file:
            return Located(path, start, size, _checked(path, Cursor(file, start, size)))
    except OSError as error:
        raise IndexFile.broken(path, f"it cannot be read: {error.strerror}") from None


def _checked(path: Path, cursor: Cursor) -> Layout:
    try:
        return read_layout(cursor)
    except MissingVectorsError as error:
        text = f"{path}: {IndexFile.noun}, but {error}: a vector with NaN is in no list"
        raise WeightsError(Problem("miscounted-index", text, fix=recounting_line(path))) from None
    except MalformedError as error:
        raise IndexFile.broken(path, str(error)) from None


def index_card(layout: Layout, source: str) -> IndexCard:
    """The card of an index; ``source`` is the name of its file."""
    lists = layout.inverted_part
    empty = "trained but empty" if layout.trained else "untrained"
    return IndexCard(
        title=Path(source).stem,
        licence="",
        source=source,
        type=str(layout),
        state="filled" if layout.vectors else empty,
        dimension=layout.dimension,
        vectors=layout.vectors,
        trained=layout.trained,
        metric=METRICS[layout.metric],
        lists=lists.lists if lists else None,
        probes=lists.probes if lists else None,
    )


@dataclass(frozen=True, slots=True)
class IndexFile(ModelFile):
    """An index in a file of its own.

    Attributes:
        path: of the file.
        index: where it is in the file.
        card: the card in a converted file, else None.
    """

    name = "index"
    noun = "a retrieval index"
    fix = _FIX
    broken_code = "damaged-file"
    broken_fix = "download or copy the file again"

    path: Path
    index: Located
    card: IndexCard | None

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> IndexFile | None:
        """The index, by its headers alone.

        Raises:
            WeightsError: if it is damaged.
        """
        if archive is None:
            if not _begins_index(path):
                return None
            return cls(path, _located(path, 0, path.stat().st_size), None)
        card = cls.stated_card(archive, IndexCard)
        return None if card is None else cls(path, locate_within(archive), card)

    @property
    def unusable(self) -> Unusable | None:
        """Whether it is of a type that retrieval does not take, or empty."""
        layout = self.index.layout
        if layout.unusable:
            return Unusable(layout.unusable, _FIX)
        if not layout.vectors:
            text = (
                "it holds no vectors: RVC writes an empty trained_*.index before the added_*.index"
            )
            return Unusable(text, _FIX)
        return None

    def describe(self) -> IndexCard:
        """Derived from the index; what cannot be derived is taken from a converted file's card."""
        derived = index_card(self.index.layout, self.path.name)
        return derived if self.card is None else believed(self.card, derived)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The serialised index as one tensor of bytes."""
        return {TENSOR: torch.from_numpy(self.index.read().data)}


KIND = IndexFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
