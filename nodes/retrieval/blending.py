"""The weighted mean of nearest neighbours."""

from __future__ import annotations

import numpy as np

MOST_NEIGHBOURS = 64
"""The most neighbours that a search may ask for."""


def neighbour_mean(distances: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the neighbours, weighted by the inverse square of the squared distances.

    Distances are divided by the smallest one, which avoids overflow. If there are neighbours at
    distance 0, only these count.

    Args:
        distances: ``[queries, k]``, squared; infinite if there is no neighbour.
        vectors: ``[queries, k, dimension]``.

    Returns:
        The mean, float32 ``[queries, dimension]``, and whether there was a neighbour, bool
        ``[queries]``.
    """
    distances = np.maximum(distances, 0.0, dtype=np.float64)  # FAISS may subtract to get them
    nearest = distances.min(1, keepdims=True)
    found = np.isfinite(nearest)
    exact = distances == 0
    divisor = np.where(exact | ~np.isfinite(distances), 1.0, distances)
    ratio = np.where(found, nearest, 0.0) / divisor
    weights = np.where(np.isfinite(distances), np.where(exact, 1.0, ratio * ratio), 0.0)
    weights /= np.maximum(weights.sum(1, keepdims=True), 1.0)  # the nearest one's is 1
    mean = np.matmul(weights[:, None].astype(np.float32), vectors)[:, 0]
    return mean, found[:, 0]
