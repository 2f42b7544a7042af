"""k-means by FAISS in single iterations, and the training of product quantizers part by part.

The numbers are those of FAISS's own training; its functions report no progress.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np
import torch

Tell = Callable[[str, int], None]
"""Takes a remark and how much is done; see ``training/common/progress.py``."""

LIST_ITERATIONS = 10
"""Iterations of k-means for inverted lists, as in FAISS."""
FEWEST_PER_CENTRE, MOST_PER_CENTRE = 39, 256
"""Vectors for each centre: FAISS asks for the first, and samples where there are more."""


@contextmanager
def threads(count: int) -> Iterator[None]:
    """FAISS and PyTorch use so many threads in this block; with one, results repeat bit by bit."""
    before = torch.get_num_threads(), faiss.omp_get_max_threads()
    torch.set_num_threads(count)
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        faiss.omp_set_num_threads(before[1])


def kmeans(vectors: np.ndarray, count: int, iterations: int, tell: Tell) -> np.ndarray:
    """Centres of the vectors, float32 ``[count, dimension]``.

    The first centres are random vectors, by FAISS's own seed. With one thread the same input gives
    the same centres.

    Args:
        vectors: float32 ``[vectors, dimension]``; at least ``count``.
        count: number of centres.
        iterations: rounds of Lloyd's algorithm.
        tell: told of every iteration.
    """
    dimension = vectors.shape[1]
    clustering = faiss.Clustering(dimension, count, _single_iterations())
    nearest = faiss.IndexFlatL2(dimension)
    for number in range(iterations):
        # Centres that are there already are where it continues.
        clustering.train(vectors, nearest)
        tell(f"k-means, iteration {number + 1} of {iterations}", number + 1)
    return faiss.vector_to_array(clustering.centroids).reshape(count, dimension)


def _single_iterations() -> faiss.ClusteringParameters:
    settings = faiss.ClusteringParameters()
    settings.niter = 1
    settings.min_points_per_centroid = 1  # whoever calls has seen to it; FAISS would print
    settings.max_points_per_centroid = MOST_PER_CENTRE
    return settings


def train_product(quantizer: faiss.ProductQuantizer, vectors: np.ndarray, tell: Tell) -> None:
    """Trains a product quantizer: k-means of each part of the vectors.

    Args:
        quantizer: with its sizes; it gets its centres.
        vectors: float32 ``[vectors, dimension]``; at least 256.
        tell: told of every part.
    """
    width = quantizer.dsub
    quantizer.cp.min_points_per_centroid = 1
    with _distances_by_products():
        for part in range(quantizer.M):
            clustering = faiss.Clustering(width, quantizer.ksub, quantizer.cp)
            values = np.ascontiguousarray(vectors[:, part * width : (part + 1) * width])
            clustering.train(values, faiss.IndexFlatL2(width))
            quantizer.set_params(clustering.centroids.data(), part)
            tell(f"part {part + 1} of {quantizer.M}", part + 1)


@contextmanager
def _distances_by_products() -> Iterator[None]:
    """FAISS compares vectors of two values 13 times as fast by products as one by one.

    Parts of other widths take as long either way.
    """
    settings: Any = faiss.cvar  # of the whole process
    before = settings.distance_compute_blas_threshold
    settings.distance_compute_blas_threshold = 1
    try:
        yield
    finally:
        settings.distance_compute_blas_threshold = before


def list_count(vectors: int) -> int:
    """Inverted lists for so many vectors, as RVC's training has them: min(16 sqrt(n), n / 39)."""
    return max(1, min(int(16 * vectors**0.5), vectors // FEWEST_PER_CENTRE))
