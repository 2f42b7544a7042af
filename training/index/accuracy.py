"""How near the search of an index is to an exact search of the vectors it was made from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from voicegraph.nodes.retrieval.blending import neighbour_mean
from voicegraph.nodes.retrieval.index_search import StoredIndex
from voicegraph.training.common.progress import progress_bar

from .queries import Queries
from .source import IndexSource

NEIGHBOURS = 8
"""As many as RVC and ``retrieval.faiss`` average."""
BLOCK_FRAMES = 12
"""Queries whose time is measured: a block of 240 ms at 50 frames a second."""
_SPARE = 8
"""Candidates beyond those wanted, since products round more than differences."""
_BATCHES, _REPETITIONS = 16, 4


@dataclass(frozen=True, slots=True)
class Truth:
    """What an exact search finds.

    Attributes:
        queries: whose neighbours they are.
        ids: of the nearest vectors, int64 ``[queries, k]``; -1 where there are fewer.
        mean: weighted mean of the neighbours as retrieval takes it: float32 ``[queries, dim]``.
    """

    queries: Queries
    ids: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How near a search is to the exact one.

    Attributes:
        recall: share of the nearest vectors that were found.
        mean: RMS error of the mean of the neighbours over its RMS.
        blend: the same after mixing with the queries, as the synthesizer gets it.
        cosine: of both means, average.
    """

    recall: float
    mean: float
    blend: float
    cosine: float


def exact_neighbours(source: IndexSource, queries: Queries) -> Truth:
    """Searches all vectors of an index."""
    wanted = min(NEIGHBOURS + 1 + _SPARE, source.count)
    given = torch.from_numpy(queries.vectors)
    best = torch.full((len(given), wanted), torch.inf)
    places = torch.full((len(given), wanted), -1, dtype=torch.int64)
    with progress_bar("exact search", source.count) as tell:
        for chunk in source.chunks():
            stored = torch.from_numpy(chunk.vectors)
            scores = torch.addmm(stored.square().sum(1), given, stored.t(), alpha=-2)
            numbers = torch.arange(chunk.start, chunk.start + len(stored)).expand_as(scores)
            both, all_numbers = torch.cat([best, scores], 1), torch.cat([places, numbers], 1)
            best, chosen = both.topk(wanted, dim=1, largest=False)
            places = all_numbers.gather(1, chosen)
            tell("", chunk.start + len(stored))
    return _truth(source, queries, places.numpy())


def _truth(source: IndexSource, queries: Queries, places: np.ndarray) -> Truth:
    """Exact distances of the candidates, and the nearest of them."""
    numbers, inverse = np.unique(places, return_inverse=True)
    ids, _, vectors = source.rows(numbers)
    inverse = inverse.reshape(places.shape)
    distances = np.empty(places.shape, np.float32)
    for row, own in enumerate(inverse):
        distances[row] = np.square(vectors[own] - queries.vectors[row]).sum(1)
    found, labels, order = _without_own(distances, ids[inverse], queries.own)
    chosen = np.take_along_axis(inverse, order, 1)
    mean, _ = neighbour_mean(found, vectors[chosen])
    return Truth(queries, labels, mean)


def _without_own(
    distances: np.ndarray, ids: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest of ``[queries, candidates]`` but for the queries themselves.

    Returns:
        Distances, identifiers, and their places among the candidates, ``[queries, k]``.
    """
    itself = (ids == own[:, None]) & (ids >= 0)
    distances = np.where(itself, np.inf, distances)
    order = np.argsort(distances, 1, kind="stable")[:, :NEIGHBOURS]
    found = np.take_along_axis(distances, order, 1)
    labels = np.where(np.isfinite(found), np.take_along_axis(ids, order, 1), -1)
    return found, labels, order


def accuracy(index: StoredIndex, truth: Truth, rate: float) -> Accuracy:
    """Judges a search.

    Args:
        index: is searched.
        truth: of an exact search.
        rate: share of the neighbours in what the synthesizer gets, 0 to 1.
    """
    queries = truth.queries
    distances, ids, vectors = index.search_labelled(queries.vectors, NEIGHBOURS + 1)
    found, labels, order = _without_own(distances, ids, queries.own)
    mean, any_found = neighbour_mean(found, np.take_along_axis(vectors, order[:, :, None], 1))
    mean = np.where(any_found[:, None], mean, queries.vectors)  # as the node does
    hits = [
        np.isin(mine, other[other >= 0]).sum()
        for mine, other in zip(truth.ids, labels, strict=True)
    ]
    expected = (truth.ids >= 0).sum()
    exact, blended = truth.mean, rate * truth.mean + (1 - rate) * queries.vectors
    return Accuracy(
        recall=float(sum(hits) / max(expected, 1)),
        mean=_rms(mean - exact) / _rms(exact),
        blend=rate * _rms(mean - exact) / _rms(blended),
        cosine=_cosine(mean, exact),
    )


def _rms(values: np.ndarray) -> float:
    return max(float(np.sqrt(np.square(values, dtype=np.float64).mean())), 1e-30)


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    product = (one * other).sum(1, dtype=np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float((product / np.maximum(lengths, 1e-30)).mean())


def search_ms(index: StoredIndex, queries: Queries) -> float:
    """Milliseconds of one core for a search of a block: the least of several, over many blocks."""
    clock = time.thread_time
    if time.get_clock_info("thread_time").resolution > 1e-4:  # Windows counts in steps of 16 ms
        clock = time.perf_counter
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        took = [_least(index, batch, clock) for batch in _batches(queries.vectors)]
    finally:
        torch.set_num_threads(threads)
    return 1e3 * sum(took) / len(took)


def _batches(vectors: np.ndarray) -> list[np.ndarray]:
    """Blocks of neighbouring queries."""
    count = max(1, min(_BATCHES, len(vectors) // BLOCK_FRAMES))
    starts = np.linspace(0, max(0, len(vectors) - BLOCK_FRAMES), count).astype(int)
    rows = np.arange(BLOCK_FRAMES)
    return [np.ascontiguousarray(vectors[(start + rows) % len(vectors)]) for start in starts]


def _least(index: StoredIndex, batch: np.ndarray, clock: Callable[[], float]) -> float:
    def once() -> float:
        begun = clock()
        index.search(batch, NEIGHBOURS)
        return clock() - begun

    return min(once() for _ in range(_REPETITIONS))
