"""What an index is searched with when it is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .source import IndexSource

MOST = 1024
"""Queries that judge an index, at most: more change figures in the third digit."""


@dataclass(frozen=True, slots=True)
class Queries:
    """Content features that neighbours are found for.

    Attributes:
        vectors: float32 ``[queries, dimension]``.
        own: identifier of each in the index, which does not count as its neighbour; -1 if it is not
            in the index; int64 ``[queries]``.
        name: what they are, for reports.
    """

    vectors: np.ndarray
    own: np.ndarray
    name: str


def own_vectors(source: IndexSource, seed: int, most: int = MOST) -> Queries:
    """Random vectors of the index, each of which is to be found without itself."""
    count = min(most, source.count)
    numbers = np.random.default_rng(seed).choice(source.count, count, replace=False)
    ids, _, vectors = source.rows(np.sort(numbers))
    name = f"{count} vectors of the index, each without itself"
    return Queries(vectors, ids, name)


def foreign_vectors(vectors: np.ndarray, name: str, most: int = MOST) -> Queries:
    """Features of other sounds than those in the index, evenly chosen from ``[frames, dim]``."""
    chosen = np.linspace(0, len(vectors) - 1, min(most, len(vectors))).round().astype(np.int64)
    held = np.ascontiguousarray(vectors[chosen], np.float32)
    return Queries(held, np.full(len(held), -1), f"{len(held)} frames of {name}")
