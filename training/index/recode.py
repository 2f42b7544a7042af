"""Stores the vectors of an index in another form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.training.common.progress import progress_bar

from .clustering import (
    LIST_ITERATIONS,
    MOST_PER_CENTRE,
    kmeans,
    list_count,
    train_product,
)
from .encodings import CODES, Encoding
from .rotation import rotation_for
from .source import ROWS, Chunk, IndexSource

_SAMPLE = CODES * MOST_PER_CENTRE
"""Vectors that train a product quantizer, at most: as many as FAISS takes."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Inverted lists: their centres, and which list each vector is in.

    Attributes:
        centres: float32 ``[lists, dimension]``.
        kept: whether they are the lists of the source.
    """

    centres: np.ndarray
    kept: bool

    def lists(self, chunk: Chunk) -> np.ndarray:
        """The list of each vector, int64 ``[vectors]``."""
        return chunk.lists if self.kept else self.nearest(chunk.vectors)

    def nearest(self, vectors: np.ndarray) -> np.ndarray:
        """The list with the nearest centre, int64 ``[vectors]``."""
        coarse = faiss.IndexFlatL2(self.centres.shape[1])
        coarse.add(self.centres)
        return coarse.assign(vectors, 1)[:, 0]


def group(source: IndexSource, lists: int | None, seed: int) -> Grouping:
    """The lists of an index, or new ones.

    Args:
        source: the index.
        lists: how many; None keeps those that it has, or makes as many as RVC's training would.
        seed: of the sample that trains them.

    Raises:
        PipelineError: if there are more lists than vectors.
    """
    if lists is None and source.lists is not None:
        return Grouping(source.centres(), kept=True)
    count = list_count(source.count) if lists is None else lists
    require_lists(count, source.count)
    vectors = _sample(source, count * MOST_PER_CENTRE, seed)[2]
    with progress_bar(f"{count} lists", LIST_ITERATIONS) as tell:
        return Grouping(kmeans(vectors, count, LIST_ITERATIONS, tell), kept=False)


def require_lists(count: int, vectors: int) -> None:
    """Refuses more lists than vectors.

    Raises:
        PipelineError: with a number that works.
    """
    if count > vectors:
        text = f"expected at most as many lists as vectors, {vectors}, found {count}"
        raise PipelineError(Problem("too-many-lists", text, fix=f"--lists {list_count(vectors)}"))


def recode(
    source: IndexSource, encoding: Encoding, grouping: Grouping, probes: int, seed: int
) -> faiss.Index:
    """A new index with the vectors of another one.

    Vectors stay in their lists, in their order, with their identifiers.

    Args:
        source: where they come from.
        encoding: how they are stored.
        grouping: inverted lists.
        probes: lists that a search visits, as the file will say.
        seed: of the sample that trains a product quantizer.

    Raises:
        PipelineError: if there are too few vectors for the encoding.
    """
    require_enough(encoding, source.count)
    inner: Any = faiss.index_factory(source.dimension, encoding.factory(len(grouping.centres)))
    rotation = _train(inner, source, encoding, grouping, seed)
    inner.quantizer.add(_rotated(rotation, grouping.centres))
    inner.is_trained = True
    inner.nprobe = min(probes, inner.nlist)
    with progress_bar(f"storing as {encoding}", source.count) as tell:
        for chunk in source.chunks():
            vectors = _rotated(rotation, chunk.vectors)
            lists = np.ascontiguousarray(grouping.lists(chunk), np.int64)
            pointers = (faiss.swig_ptr(each) for each in (vectors, chunk.ids, lists))
            inner.add_core(len(vectors), *pointers)
            tell("", inner.ntotal)
    if rotation is None:
        return inner
    whole = faiss.IndexPreTransform(rotation, inner)
    whole.ntotal, whole.is_trained = inner.ntotal, True
    return whole


def require_enough(encoding: Encoding, vectors: int) -> None:
    """Refuses a product quantizer that cannot be trained.

    Raises:
        PipelineError: if there are fewer vectors than it has centres.
    """
    if encoding.parts is not None and vectors < CODES:
        text = f"{encoding} needs at least {CODES} vectors to be trained on, found {vectors}"
        raise PipelineError(Problem("too-few-vectors", text, fix="--to sq8"))


def _sample(source: IndexSource, most: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Identifiers, lists and vectors of some."""
    count = min(most, source.count)
    numbers = np.random.default_rng(seed).choice(source.count, count, replace=False)
    return source.rows(np.sort(numbers))


def _rotated(rotation: faiss.LinearTransform | None, vectors: np.ndarray) -> np.ndarray:
    vectors = np.ascontiguousarray(vectors, np.float32)
    return vectors if rotation is None else rotation.apply(vectors)


def _train(
    inner: Any, source: IndexSource, encoding: Encoding, grouping: Grouping, seed: int
) -> faiss.LinearTransform | None:
    """Trains what stores the vectors; gives the rotation that comes before it, if there is one."""
    if isinstance(inner, faiss.IndexIVFScalarQuantizer):
        _train_ranges(inner, source, grouping)
    if not isinstance(inner, faiss.IndexIVFPQ):
        return None
    differences = _differences(source, grouping, seed)
    rotation = rotation_for(differences, inner.pq.M) if encoding.rotates else None
    with progress_bar("product quantizer", inner.pq.M) as tell:
        train_product(inner.pq, _rotated(rotation, differences), tell)
    return rotation


def _differences(source: IndexSource, grouping: Grouping, seed: int) -> np.ndarray:
    """Of a sample of the vectors from their centres: what a product quantizer stores."""
    _, kept, vectors = _sample(source, _SAMPLE, seed)
    lists = kept if grouping.kept else grouping.nearest(vectors)
    for start in range(0, len(vectors), ROWS):  # in place, since the sample is large
        part = slice(start, start + ROWS)
        vectors[part] -= grouping.centres[lists[part]]
    return vectors


def _train_ranges(inner: Any, source: IndexSource, grouping: Grouping) -> None:
    """The range of every value over all vectors; FAISS's own training sees a sample."""
    ends = np.array([[np.inf], [-np.inf]], np.float32) * np.ones((1, source.dimension), np.float32)
    for chunk in source.chunks():
        vectors = chunk.vectors
        if inner.by_residual:
            vectors = vectors - grouping.centres[grouping.lists(chunk)]
        ends[0] = np.minimum(ends[0], vectors.min(0))
        ends[1] = np.maximum(ends[1], vectors.max(0))
    inner.sq.train(ends)
