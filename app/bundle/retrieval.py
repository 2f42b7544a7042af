"""``retrieval.faiss``: frames are mixed with their nearest neighbours in an index."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import faiss
import numpy as np

from voicegraph.graph.files.faiss_files.index_bytes import check_usable, locate_at
from voicegraph.graph.files.faiss_files.load import read_faiss

from .ports import NodeSpec


class Retrieval:
    """The node on one stream.

    Args:
        spec: of the node.
        index: a FAISS file, which is checked before FAISS reads it.

    Raises:
        WeightsError: if it is damaged, or retrieval cannot use it.
    """

    def __init__(self, spec: NodeSpec, index: Path) -> None:
        given, asked = spec.given["content"], spec.asked["out"]
        self._first, self._count = given.index(asked.interval.start), asked.count
        self._core = max(given.index(asked.core.start) - self._first, 0)
        self._rate, self._k = float(spec.params["rate"]), int(spec.params["k"])
        stored = locate_at(index, 0, index.stat().st_size).read()
        check_usable(index, stored.layout)
        self._bytes = stored.data  # the index holds views of it
        found = read_faiss(stored)
        # An identifier map cannot give vectors back; the index inside can.
        mapped = isinstance(found, faiss.IndexIDMap)
        self._whole, self._index = found, faiss.downcast_index(found.index) if mapped else found
        lists = faiss.try_extract_index_ivf(self._index)
        probes = spec.params.get("nprobe")
        if lists is not None and probes is not None:
            lists.nprobe = min(int(probes), lists.nlist)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One block or window, ``[1, frames, dim]``; frames before the core stay as they are."""
        features = inputs["content"][:, self._first : self._first + self._count].copy()
        if self._rate > 0:
            frames = features[0, self._core :]
            mean, found = self._mean(np.ascontiguousarray(frames))
            mixed = self._rate * mean + (1 - self._rate) * frames
            features[0, self._core :] = np.where(found[:, None], mixed, frames)
        return {"out": features}

    def _mean(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean of the neighbours, weighted by ``1 / d^2``, and whether there was one."""
        k = min(self._k, self._index.ntotal)
        distances, labels, vectors = self._index.search_and_reconstruct(queries, k)
        distances = np.maximum(distances, 0.0, dtype=np.float64)
        missing = (labels < 0) | ~np.isfinite(distances)
        distances[missing], vectors[missing] = np.inf, 0.0
        nearest = distances.min(1, keepdims=True)
        found, exact = np.isfinite(nearest), distances == 0
        # Divided by the smallest distance, which avoids overflow; only exact ones count if any are.
        divisor = np.where(exact | missing, 1.0, distances)
        ratio = np.where(found, nearest, 0.0) / divisor
        weights = np.where(missing, 0.0, np.where(exact, 1.0, ratio * ratio))
        weights /= np.maximum(weights.sum(1, keepdims=True), 1.0)
        mean = np.matmul(weights[:, None].astype(np.float32), vectors)[:, 0]
        return mean, found[:, 0]
