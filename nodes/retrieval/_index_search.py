"""Search in a FAISS index in memory: neighbours and their vectors."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import torch

from voicegraph.graph import Problem
from voicegraph.graph.files.models import WeightsError, shared_file

from ._blending import MOST_NEIGHBOURS
from ._index_repair import converting_line
from ._usable import read_usable
from .index_file import IndexBytes

_TRIAL = 32
"""Queries of the trial search, as many as a block has: for more, FAISS uses other code paths."""


class StoredIndex:
    """An index that FAISS searches.

    FAISS gets views of the bytes in memory, which are not copied again. The vectors of neighbours
    are reconstructed on each search, which is exact for types that store uncompressed vectors.

    Searches do not change the object, so several sessions may search at once.

    Args:
        found: the index, checked.
        probes: number of inverted lists that a search visits; None for the file's own.

    Raises:
        WeightsError: if FAISS cannot read it, or cannot reconstruct its vectors.
    """

    def __init__(self, found: IndexBytes, probes: int | None = None) -> None:
        self._bytes = found.data  # the index holds views of it
        self.dimension = found.layout.dimension
        try:
            self._whole = self._read()
            self._index = _without_identifiers(self._whole)
            lists = faiss.try_extract_index_ivf(self._index)
            if lists is not None:
                lists.nprobe = min(lists.nprobe if probes is None else probes, lists.nlist)
            self.search(np.ones((_TRIAL, self.dimension), np.float32), MOST_NEIGHBOURS)
        except (RuntimeError, MemoryError) as error:
            raise _refused(found, str(error)) from None

    def _read(self) -> faiss.Index:
        start = faiss.swig_ptr(self._bytes)
        reader = faiss.ZeroCopyIOReader(start, self._bytes.size)  # pyright: ignore[reportAttributeAccessIssue]
        # Skips optional tables, whose size depends on the file.
        return faiss.read_index(
            reader, faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE | faiss.IO_FLAG_PQ_SKIP_SDC_TABLE
        )

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest vectors of each query.

        FAISS uses as many threads as PyTorch does in the calling thread: the pipeline's
        ``threads``.

        Args:
            queries: float32 ``[queries, dimension]``, contiguous.
            k: number of neighbours; at most all vectors.

        Returns:
            Squared distances ``[queries, k]``, infinite for missing neighbours, and the vectors
            ``[queries, k, dimension]``, 0 for missing neighbours; float32.
        """
        k = min(k, self._index.ntotal)
        # OpenMP stores the number of threads by thread, so it is set where the search runs. If
        # PyTorch and FAISS share one OpenMP, it has this value already.
        faiss.omp_set_num_threads(torch.get_num_threads())
        distances, labels, vectors = self._index.search_and_reconstruct(queries, k)
        missing = (labels < 0) | ~np.isfinite(distances)
        distances[missing] = np.inf
        vectors[missing] = 0.0
        return distances, vectors


def open_index(path: Path, probes: int | None) -> StoredIndex:
    """The index of a file, read into memory once a process for each number of probes.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    return shared_file(
        "retrieval.faiss", path, lambda: StoredIndex(read_usable(path), probes), probes
    )


def _without_identifiers(index: faiss.Index) -> faiss.Index:
    """The index inside an identifier map, since identifiers are not used.

    A plain map cannot reconstruct a vector by its identifier; the inner index can by its own.
    """
    return faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap) else index


def _refused(found: IndexBytes, said: str) -> WeightsError:
    reason = said.splitlines()[-1].rpartition(": ")[2].strip() or said
    return WeightsError(
        Problem(
            "unusable-index",
            f"{found.path}: {found.layout}, which FAISS cannot search or give vectors back from: "
            f"{reason}",
            fix=(
                f"use the added_*.index that RVC's training wrote, or {converting_line(found.path)}"
            ),
        )
    )
