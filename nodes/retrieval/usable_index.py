"""Whether retrieval can use an index, and what to do if it cannot."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph.files.faiss_files.index_bytes import IndexBytes, Located, check_usable
from voicegraph.graph.files.models.wrong_kind import wrong_kind

from .index_file import locate

_ADDED = "the voice's added_*.index"


def locate_usable(path: Path) -> Located:
    """The location of an index that can be used, by its headers.

    Raises:
        WeightsError: if it cannot be used; the text says why.
    """
    found = locate(path)
    if found is None:
        raise wrong_kind(path, "a FAISS index", f"use {_ADDED}")
    check_usable(path, found.layout)
    return found


def read_usable(path: Path) -> IndexBytes:
    """The bytes of an index that can be used.

    Raises:
        WeightsError: if it cannot be used; the text says why.
    """
    read = locate_usable(path).read()
    check_usable(path, read.layout)  # it may have changed between the two
    return read
