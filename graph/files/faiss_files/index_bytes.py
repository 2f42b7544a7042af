"""An index in a file: found by its headers, read into memory, checked there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import Problem, WeightsError
from ...regular_file import open_regular
from ..private_copy import read_private
from ._cursor import Cursor, MalformedError, MemoryCursor
from ._index_names import begins_index
from ._reader import MissingVectorsError, read_layout
from .layout import L2, METRICS, Layout
from .repair import converting_line, rebuilding_line, recounting_line

NOUN = "a retrieval index"
BROKEN = "damaged-file"
"""Code of the error about a damaged index."""
BROKEN_FIX = "download or copy the file again"
_ADDED = "the voice's added_*.index"


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


def is_index(path: Path) -> bool:
    """Whether a file begins like an index of FAISS's."""
    try:
        with open_regular(path) as file:
            return begins_index(file.read(4))
    except (OSError, ValueError):
        return False  # whatever opens it next reports what is wrong


def locate_at(path: Path, start: int, size: int) -> Located:
    """The index of ``size`` bytes from ``start`` on in a file.

    Raises:
        WeightsError: if it is damaged, or the file cannot be read.
    """
    try:
        with open_regular(path) as file:
            return Located(path, start, size, _checked(path, Cursor(file, start, size)))
    except OSError as error:
        raise broken(path, f"it cannot be read: {error.strerror}") from None


def broken(path: Path, why: str) -> WeightsError:
    """The error for a damaged index; ``why`` continues ``FILE: a retrieval index, but``."""
    return WeightsError(Problem(BROKEN, f"{path}: {NOUN}, but {why}", fix=BROKEN_FIX))


def _checked(path: Path, cursor: Cursor) -> Layout:
    try:
        return read_layout(cursor)
    except MissingVectorsError as error:
        text = f"{path}: {NOUN}, but {error}: a vector with NaN is in no list"
        raise WeightsError(Problem("miscounted-index", text, fix=recounting_line(path))) from None
    except MalformedError as error:
        raise broken(path, str(error)) from None


def check_usable(path: Path, layout: Layout) -> None:
    """Checks that retrieval can use an index.

    Raises:
        WeightsError: if it is empty, of another type or compares in another way; the text says
            what to do.
    """
    if not layout.vectors:
        raise _empty(path, layout)
    if layout.unsupported:
        line = converting_line(path) if layout.gives_vectors else rebuilding_line(path)
        text = (
            f"{path}: an index of the type {layout.unsupported}; retrieval takes IVF over Flat, "
            "SQ or PQ with Flat or HNSW centres, Flat, IDMap, and OPQ"
        )
        raise _refused("unknown-index", text, line)
    if layout.metric != L2:
        text = (
            f"{path}: an index that compares by {METRICS[layout.metric]}; retrieval weighs "
            f"neighbours by {METRICS[L2]}"
        )
        raise _refused("wrong-metric", text, converting_line(path))


def _empty(path: Path, layout: Layout) -> WeightsError:
    if not layout.trained:
        text = f"{path}: an index that is not trained and holds no vectors"
        return WeightsError(Problem("empty-index", text, fix=f"use {_ADDED}"))
    text = (
        f"{path}: an index that is trained but empty, as RVC's training leaves it under the name "
        "trained_*.index"
    )
    fix = f"use {_ADDED} beside it, which holds the vectors"
    return WeightsError(Problem("empty-index", text, fix=fix))


def _refused(code: str, text: str, line: str) -> WeightsError:
    return WeightsError(Problem(code, text, fix=f"use {_ADDED}, or {line}"))
