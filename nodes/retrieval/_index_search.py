"""Search in a FAISS index that is mapped into memory: neighbours and their vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch

from voicegraph.graph import Problem, open_regular
from voicegraph.graph.files.models import WeightsError, shared_file

from ._blending import MOST_NEIGHBOURS
from ._index_layout import Layout
from .index_file import Located, locate

_TRIAL = 32
"""Queries of the trial search, as many as a block has: for more, FAISS uses other code paths."""
_READ = 1 << 22
"""Bytes in one read when the file is brought into the page cache."""
_RANKED = {
    "IndexLSH",
    *(
        f"Index{lists}{quantizer}QuantizerFastScan"
        for lists in ("", "IVF")
        for quantizer in ("Residual", "LocalSearch", "ProductResidual", "ProductLocalSearch")
    ),
}
"""Types that only rank: FAISS's distance is the number of different bits, or lacks the square of a
query. For these, distances to the reconstructed vectors are computed."""


class StoredIndex:
    """A memory-mapped index, without a copy of the file.

    FAISS gets views of the mapped file: vectors, identifiers, centres and graph links are not
    copied, except for types with blocks of vectors or with a few bits a value. Processes that use
    the same file share its memory. The vectors of neighbours are reconstructed on each search,
    which is exact for types that store uncompressed vectors.

    Searches do not change the object, so several sessions may search at once.

    Args:
        found: location of the index.
        probes: number of inverted lists that a search visits; None for the file's own.

    Raises:
        WeightsError: if FAISS cannot read it, or cannot reconstruct its vectors.
    """

    def __init__(self, found: Located, probes: int | None = None) -> None:
        _read_through(found)
        self._bytes = found.mapped()  # the index holds views of it
        try:
            index = self._read()
            lists = faiss.try_extract_index_ivf(index)
            if lists is not None:
                # Types with blocks would allocate memory for missing lists.
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
        k = min(k, self._index.ntotal)  # in some graphs, FAISS would never return
        # OpenMP stores the number of threads by thread, so it is set where the search runs. If
        # PyTorch and FAISS share one OpenMP, it has this value already.
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
    """The index of a file, opened once a process for each number of probes.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    found = locate(path)
    if found is None:
        raise WeightsError(Problem("wrong-weights", f"{path} is no FAISS index"))
    return shared_file("retrieval.faiss", path, lambda: StoredIndex(found, probes), probes)


def _read_through(found: Located) -> None:
    """Reads the whole file once, so that no block waits for the disk later.

    A read error raises here; in mapped memory it would kill the process.
    """
    try:
        with open_regular(found.path) as file:
            while file.read(_READ):
                pass
    except OSError as error:
        raise _refused(found, str(error)) from None


def _without_identifiers(index: faiss.Index) -> faiss.Index:
    """The index inside an identifier map, since identifiers are not used.

    A plain map cannot reconstruct a vector by its identifier; the inner index can by its own.
    """
    return faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap) else index


def _allow_reconstruction(lists: Any) -> None:
    """Prepares an inverted index with blocks, which reconstructs vectors by identifier alone.

    When FAISS 1.15 reads such an index, it does not set the quantizer that decodes its vectors, and
    would crash on reconstruction.
    """
    if hasattr(lists, "pq"):
        lists.fine_quantizer = lists.pq
    elif hasattr(lists, "aq"):
        lists.fine_quantizer = lists.aq
    forms: Any = faiss.DirectMap  # pyright: ignore[reportAttributeAccessIssue]
    lists.set_direct_map_type(forms.NoMap)  # discards that of the file
    lists.set_direct_map_type(forms.Hashtable)


def _ranking(layout: Layout) -> str:
    """The type of the inner index that determines the distances."""
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
