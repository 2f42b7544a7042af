"""Search of inverted lists whose centres are many: the nearest centres come from a matrix product.

FAISS compares each query with all centres, one pair at a time. With thousands of lists that takes
longer than everything else.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import torch

FEWEST_VALUES = 1 << 22
"""Fewest values of all centres, lists x dimension, for which a product is the faster way,"""
FEWEST_QUERIES = 8
"""and fewest queries: FAISS reads all centres once for each, a product once for all."""
_SPARE = 16
"""Centres beyond those asked for whose distances are computed again."""
_SHARE = 4
"""The product pays if at most every fourth list is searched."""
_OFFSET_BITS = 32
"""FAISS puts the number of a list and the place in it into one label."""


class ListSearch:
    """Searches an inverted file as FAISS's ``search_and_reconstruct`` does, with the same results.

    Distances to centres by a product, ``|c|^2 - 2 q c``, are rounded differently than sums of
    squared differences. So some more centres are taken than are asked for, and the nearest of them
    are chosen by differences: which lists are searched depends neither on the number of queries nor
    on that of threads.

    Args:
        lists: the inverted file. Its centres are viewed, not copied.
    """

    def __init__(self, lists: faiss.IndexIVF) -> None:
        self._lists: Any = lists  # FAISS's types lack much of it
        coarse: Any = faiss.downcast_index(lists.quantizer)
        values = faiss.rev_swig_ptr(coarse.get_xb(), lists.nlist * lists.d)
        self._centres = values.reshape(lists.nlist, lists.d)
        self._weights = torch.from_numpy(self._centres)
        self._norms = self._weights.square().sum(1)

    @staticmethod
    def pays(lists: faiss.IndexIVF) -> bool:
        """Whether the centres are plain vectors, and so many that this is the faster way."""
        coarse = faiss.downcast_index(lists.quantizer)
        return (
            isinstance(coarse, faiss.IndexFlat)
            and coarse.metric_type == faiss.METRIC_L2
            and lists.nlist * lists.d >= FEWEST_VALUES
            and 1 <= lists.nprobe * _SHARE <= lists.nlist
        )

    def search_and_reconstruct(
        self, queries: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The nearest vectors in the nearest lists.

        Args:
            queries: float32 ``[queries, dimension]``, contiguous.
            k: number of neighbours.

        Returns:
            Squared distances ``[queries, k]``, identifiers ``[queries, k]``, negative for missing
            neighbours, and vectors ``[queries, k, dimension]``, undefined for missing ones.
        """
        count = len(queries)
        chosen, near = self._nearest_lists(queries)
        distances = np.empty((count, k), np.float32)
        labels = np.empty((count, k), np.int64)
        pointers = (faiss.swig_ptr(each) for each in (chosen, near, distances, labels))
        self._lists.search_preassigned_c(count, faiss.swig_ptr(queries), k, *pointers, True)
        return distances, *self._stored(labels)

    def _nearest_lists(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers int64 and squared distances float32 of the lists, ``[queries, nprobe]``."""
        probes = self._lists.nprobe
        product = torch.nn.functional.linear(torch.from_numpy(queries), self._weights)
        scores = torch.sub(self._norms, product, alpha=2, out=product)
        some = min(probes + _SPARE, self._lists.nlist)
        found = scores.topk(some, dim=1, largest=False, sorted=False).indices.sort(1).values.numpy()
        exact = np.square(self._centres[found] - queries[:, None]).sum(2)
        order = exact.argsort(1, kind="stable")[:, :probes]
        near = np.take_along_axis(exact, order, 1)
        chosen = np.take_along_axis(found, order, 1)
        chosen[~np.isfinite(near)] = -1  # of a query with NaN: FAISS skips such lists
        return chosen, near

    def _stored(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Identifiers and vectors at the places that FAISS found, as list and offset."""
        lists = self._lists
        labels = np.full(places.shape, -1, np.int64)
        vectors = np.empty((*places.shape, lists.d), np.float32)
        for at in zip(*np.nonzero(places >= 0), strict=True):
            number, offset = divmod(int(places[at]), 1 << _OFFSET_BITS)
            labels[at] = lists.invlists.get_single_id(number, offset)
            lists.reconstruct_from_offset(number, offset, faiss.swig_ptr(vectors[at]))
        return labels, vectors
