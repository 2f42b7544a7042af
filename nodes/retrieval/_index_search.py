"""A FAISS index in use: neighbours and their vectors, from a file that is mapped into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch

from voicegraph.graph import Problem
from voicegraph.graph.files.models import WeightsError, shared_file

from ._blending import MOST_NEIGHBOURS
from ._index_layout import Layout
from .index_file import Located, locate

_TRIAL = 32
"""Queries of a first search, as many as a block has: with more, FAISS goes other ways."""
_READ = 1 << 22
"""Bytes read at once when the file is brought into the system's cache."""
_RANKED = {
    "IndexLSH",
    *(
        f"Index{lists}{quantizer}QuantizerFastScan"
        for lists in ("", "IVF")
        for quantizer in ("Residual", "LocalSearch", "ProductResidual", "ProductLocalSearch")
    ),
}
"""Types that only rank: what FAISS gives for a distance is the number of bits that differ, or lacks
the square of the query. Theirs are measured to the vectors that are given back."""


class StoredIndex:
    """An index of which the file is the only copy.

    FAISS gets views of the file, mapped into memory: vectors, identifiers, centres and the links of
    graphs are not copied, but for types whose vectors lie in blocks or are of a few bits a value.
    Processes that use the same file share it. The vectors of neighbours are reconstructed when they
    are found, which is exact for every type that stores them as they are.

    Its methods change nothing, so that several sessions may search at once.

    Args:
        found: where the index is.
        probes: into how many inverted lists a search looks; None as the file says.

    Raises:
        WeightsError: if FAISS does not take it, or cannot give back the vectors.
    """

    def __init__(self, found: Located, probes: int | None = None) -> None:
        _read_through(found)
        self._bytes = found.mapped()  # the index holds views of it
        try:
            index = self._read()
            lists = faiss.try_extract_index_ivf(index)
            if lists is not None:
                # Types with blocks would take memory for lists that are not there.
                lists.nprobe = min(lists.nprobe if probes is None else probes, lists.nlist)
            self._whole, self._index = index, _without_identifiers(index)
            lists = faiss.downcast_index(lists) if lists is not None else None
            self._by_identifier = isinstance(lists, faiss.IndexIVFFastScan)
            if self._by_identifier:
                _allow_reconstruction(lists)
            self._distances_are_l2 = _ranking(found.layout) not in _RANKED
            self.search(np.ones((_TRIAL, found.layout.dimension), np.float32), MOST_NEIGHBOURS)
        except (RuntimeError, MemoryError) as error:
            raise _refused(found, str(error)) from None

    def _read(self) -> faiss.Index:
        start = faiss.swig_ptr(self._bytes)
        reader = faiss.ZeroCopyIOReader(start, self._bytes.size)  # pyright: ignore[reportAttributeAccessIssue]
        # Tables that FAISS can do without, and whose size the file decides.
        return faiss.read_index(
            reader, faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE | faiss.IO_FLAG_PQ_SKIP_SDC_TABLE
        )

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest vectors of each query.

        FAISS uses as many threads as PyTorch does in the calling thread: the pipeline's
        ``threads``.

        Args:
            queries: ``[queries, dimension]`` float32, in rows without gaps.
            k: how many, where there are so many in all; else all.

        Returns:
            Squared distances ``[queries, k]``, infinite where there are fewer, and the vectors
            ``[queries, k, dimension]``, 0 there; float32.
        """
        k = min(k, self._index.ntotal)  # in some graphs, FAISS looks for more for ever
        # OpenMP keeps the count by thread, so it is set where the search runs. Where PyTorch and
        # FAISS share one OpenMP, this sets what is set already.
        faiss.omp_set_num_threads(torch.get_num_threads())
        distances, labels, vectors = self._found(queries, k)
        missing = (labels < 0) | ~np.isfinite(distances)
        if not self._distances_are_l2:
            distances = np.square(queries[:, None] - vectors).sum(2)
        distances[missing] = np.inf
        vectors[missing] = 0.0
        return distances, vectors

    def _found(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if not self._by_identifier:
            return self._index.search_and_reconstruct(queries, k)
        distances, labels = self._index.search(queries, k)
        vectors = np.zeros((*labels.shape, queries.shape[1]), np.float32)
        there = labels >= 0
        if there.any():
            vectors[there] = self._index.reconstruct_batch(labels[there])
        return distances, labels, vectors


def open_index(path: Path, probes: int | None) -> StoredIndex:
    """The index of a file, one a process for each number of probes.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    found = locate(path)
    if found is None:
        raise WeightsError(Problem("wrong-weights", f"{path} is no FAISS index"))
    return shared_file("retrieval.faiss", path, lambda: StoredIndex(found, probes), probes)


def _read_through(found: Located) -> None:
    """Reads the file through once, so that later no block waits for the disk.

    What of it cannot be read is an error here, where in mapped memory it would end the process.
    """
    try:
        with found.path.open("rb", buffering=0) as file:
            while file.read(_READ):
                pass
    except OSError as error:
        raise _refused(found, str(error)) from None


def _without_identifiers(index: faiss.Index) -> faiss.Index:
    """What is inside a map of identifiers, which nothing here asks for.

    A plain map cannot look a vector up by its identifier; the index inside knows its own.
    """
    return faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap) else index


def _allow_reconstruction(lists: Any) -> None:
    """Readies an index with blocks of vectors in lists, which gives them back by identifier alone.

    FAISS 1.15 forgets to tell such an index, when it reads it, which quantizer decodes its vectors;
    it crashes then where it should give one back.
    """
    if hasattr(lists, "pq"):
        lists.fine_quantizer = lists.pq
    elif hasattr(lists, "aq"):
        lists.fine_quantizer = lists.aq
    forms: Any = faiss.DirectMap  # pyright: ignore[reportAttributeAccessIssue]
    lists.set_direct_map_type(forms.NoMap)  # not the file's own
    lists.set_direct_map_type(forms.Hashtable)


def _ranking(layout: Layout) -> str:
    """The type whose distances a search gives."""
    return _ranking(layout.inner[-1]) if layout.inner else layout.name


def _refused(found: Located, said: str) -> WeightsError:
    reason = said.splitlines()[-1].rpartition(": ")[2].strip() or said
    return WeightsError(
        Problem(
            "unusable-index",
            f"{found.path}: {found.layout}, which FAISS cannot search or give vectors back from: "
            f"{reason}",
            fix="use the added_*.index that RVC's training wrote, or build one of type IVF,Flat",
        )
    )
