"""Search in a FAISS index in memory: neighbours and their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch

from voicegraph.graph import Problem
from voicegraph.graph.files.faiss_files.index_bytes import IndexBytes
from voicegraph.graph.files.faiss_files.load import read_faiss
from voicegraph.graph.files.faiss_files.repair import converting_line
from voicegraph.graph.files.models import WeightsError, shared_file

from ._list_search import FEWEST_QUERIES, ListSearch
from .blending import MOST_NEIGHBOURS
from .usable_index import read_usable

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
            self._whole = read_faiss(found)
            self._index = without_identifiers(self._whole)
            self._lists = self._open_lists(probes)
            self.search(np.ones((_TRIAL, self.dimension), np.float32), MOST_NEIGHBOURS)
        except (RuntimeError, MemoryError) as error:
            raise _refused(found, str(error)) from None

    def _open_lists(self, probes: int | None) -> ListSearch | None:
        """Sets how many lists are searched; the faster way to find them, where it pays."""
        lists = faiss.try_extract_index_ivf(self._index)
        if lists is None:
            return None
        lists.nprobe = min(lists.nprobe if probes is None else probes, lists.nlist)
        return ListSearch(lists) if ListSearch.pays(lists) else None

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest vectors of each query.

        Args:
            queries: float32 ``[queries, dimension]``, contiguous.
            k: number of neighbours; at most all vectors.

        Returns:
            Squared distances ``[queries, k]``, infinite for missing neighbours, and the vectors
            ``[queries, k, dimension]``, 0 for missing neighbours; float32.
        """
        distances, _, vectors = self.search_labelled(queries, k)
        return distances, vectors

    def search_labelled(
        self, queries: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As :meth:`search`, with identifiers: int64 ``[queries, k]``, -1 for missing neighbours.

        FAISS uses as many threads as PyTorch does in the calling thread: the pipeline's
        ``threads``.
        """
        k = min(k, self._index.ntotal)
        # OpenMP stores the number of threads by thread, so it is set where the search runs. If
        # PyTorch and FAISS share one OpenMP, it has this value already.
        faiss.omp_set_num_threads(torch.get_num_threads())
        distances, labels, vectors = self._found(queries, k)
        missing = (labels < 0) | ~np.isfinite(distances)
        distances[missing] = np.inf
        vectors[missing] = 0.0
        labels[missing] = -1
        return distances, labels, vectors

    def _found(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self._lists is None or len(queries) < FEWEST_QUERIES:
            return self._index.search_and_reconstruct(queries, k)
        steps = transforms(self._index)
        for step in steps:
            queries = step.apply(queries)
        distances, labels, vectors = self._lists.search_and_reconstruct(queries, k)
        if steps:
            vectors[labels < 0] = 0.0  # undefined, and what is transformed must be finite
        return distances, labels, reversed_by(steps, vectors)


def open_index(path: Path, probes: int | None) -> StoredIndex:
    """The index of a file, read into memory once a process for each number of probes.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    return shared_file(
        "retrieval.faiss", path, lambda: StoredIndex(read_usable(path), probes), probes
    )


def transforms(index: faiss.Index) -> list[faiss.VectorTransform]:
    """The linear transforms before an index, such as OPQ, in the order in which they apply."""
    if not isinstance(index, faiss.IndexPreTransform):
        return []
    chain: Any = index.chain  # FAISS's types have a list
    return [faiss.downcast_VectorTransform(chain.at(i)) for i in range(chain.size())]


def reversed_by(steps: Sequence[faiss.VectorTransform], vectors: np.ndarray) -> np.ndarray:
    """Vectors ``[..., dimension]`` as they were before the transforms."""
    shape = vectors.shape[:-1]
    flat = vectors.reshape(-1, vectors.shape[-1])
    for step in reversed(steps):
        flat = step.reverse_transform(flat)
    return flat.reshape(*shape, -1)


def without_identifiers(index: faiss.Index) -> faiss.Index:
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
