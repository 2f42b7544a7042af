"""Whether retrieval can use an index, and what to do if it cannot."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph import Problem
from voicegraph.graph.files.models import WeightsError
from voicegraph.graph.files.models.wrong_kind import wrong_kind

from ._index_layout import L2, METRICS, Layout
from ._index_repair import converting_line, rebuilding_line
from .index_file import IndexBytes, Located, locate

_ADDED = "the voice's added_*.index"


def locate_usable(path: Path) -> Located:
    """The location of an index that can be used, by its headers.

    Raises:
        WeightsError: if it cannot be used; the text says why.
    """
    found = locate(path)
    if found is None:
        raise wrong_kind(path, "a FAISS index", f"use {_ADDED}")
    _check(path, found.layout)
    return found


def read_usable(path: Path) -> IndexBytes:
    """The bytes of an index that can be used.

    Raises:
        WeightsError: if it cannot be used; the text says why.
    """
    read = locate_usable(path).read()
    _check(path, read.layout)  # it may have changed between the two
    return read


def _check(path: Path, layout: Layout) -> None:
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
