"""A FAISS index in use: neighbours and their vectors, from a file that is mapped into memory."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import torch

from voicegraph.graph.errors import Problem
from voicegraph.graph.weights import WeightsError, shared_file

from .index_file import Located, locate

MOST_NEIGHBOURS = 64
"""What a search may ask for."""
_READ = 1 << 22
"""Bytes read at once when the file is brought into the system's cache."""


class StoredIndex:
    """An index of which the file is the only copy.

    FAISS gets views of the file, mapped into memory: vectors, identifiers, centres and the links of
    graphs are not copied. Processes that use the same file share it. The vectors of neighbours are
    reconstructed when they are found, which is exact for every type that stores them as they are.

    Its methods change nothing, so that several sessions may search at once.

    Args:
        found: where the index is.
        probes: into how many inverted lists a search looks; None as the file says.

    Raises:
        WeightsError: if FAISS does not take it, or cannot give back the vectors.
    """

    def __init__(self, found: Located, probes: int | None = None) -> None:
        _warm(found)
        self._bytes = found.mapped()  # the index holds views of it
        try:
            index = self._read()
            lists = faiss.try_extract_index_ivf(index)
            if lists is not None and probes is not None:
                lists.nprobe = probes
            self._whole, self._index = index, _without_identifiers(index)
            self.search(np.ones((1, found.layout.dimension), np.float32), MOST_NEIGHBOURS)
        except RuntimeError as error:
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
            k: how many.

        Returns:
            Squared distances ``[queries, k]``, infinite where there are fewer, and the vectors
            ``[queries, k, dimension]``, 0 there; float32.
        """
        # OpenMP keeps the count by thread, so it is set where the search runs. Where PyTorch and
        # FAISS share one OpenMP, this sets what is set already.
        faiss.omp_set_num_threads(torch.get_num_threads())
        distances, labels, vectors = self._index.search_and_reconstruct(queries, k)
        missing = (labels < 0) | ~np.isfinite(distances)
        distances[missing] = np.inf
        vectors[missing] = 0.0
        return distances, vectors


def open_index(path: Path, probes: int | None) -> StoredIndex:
    """The index of a file, one a process for each number of probes.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    found = locate(path)
    if found is None:
        raise WeightsError(Problem("wrong-weights", f"{path} is no FAISS index"))
    return shared_file("retrieval.faiss", path, lambda: StoredIndex(found, probes), probes)


def _warm(found: Located) -> None:
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
