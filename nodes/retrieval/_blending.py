"""How features are moved towards those of a voice."""

from __future__ import annotations

import numpy as np

MOST_NEIGHBOURS = 64
"""The most neighbours that a search may ask for."""


def neighbour_mean(distances: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The neighbours' mean, by the inverse square of the squared distances.

    With d relative to the nearest one, no distance is too small. Neighbours at distance 0 alone
    count if there are any.

    Args:
        distances: ``[queries, k]``, squared; infinite where there is no neighbour.
        vectors: ``[queries, k, dimension]``.

    Returns:
        The mean ``[queries, dimension]``, and where there was any neighbour ``[queries]``.
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
