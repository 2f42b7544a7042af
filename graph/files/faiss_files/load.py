"""Checked indexes as objects of FAISS."""

from __future__ import annotations

import faiss

from .index_bytes import IndexBytes


def read_faiss(found: IndexBytes) -> faiss.Index:
    """The index as FAISS's object, which holds views of the bytes: they must live as long.

    Raises:
        RuntimeError: of FAISS's, if it cannot read them.
    """
    start = faiss.swig_ptr(found.data)
    reader = faiss.ZeroCopyIOReader(start, found.data.size)  # pyright: ignore[reportAttributeAccessIssue]
    # Skips optional tables, whose size depends on the file.
    return faiss.read_index(
        reader, faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE | faiss.IO_FLAG_PQ_SKIP_SDC_TABLE
    )
