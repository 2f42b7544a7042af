"""An index whose vectors are read: for compression, measurements and statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from voicegraph.graph.errors import Problem, WeightsError
from voicegraph.graph.files.faiss_files.load import read_faiss
from voicegraph.graph.files.models import identify
from voicegraph.nodes.retrieval.index_search import reversed_by, transforms, without_identifiers
from voicegraph.nodes.retrieval.usable_index import read_usable
from voicegraph.schemas.encoder_card import TrainedCard

ROWS = 8192
"""Vectors that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some vectors of an index.

    Attributes:
        start: how many came before.
        ids: int64 ``[vectors]``.
        lists: the inverted list of each, int64 ``[vectors]``; zeros if there are none.
        vectors: float32 ``[vectors, dimension]``, as searches give them back.
    """

    start: int
    ids: np.ndarray
    lists: np.ndarray
    vectors: np.ndarray


class IndexSource:
    """An index in memory, its vectors in the order of its lists.

    Args:
        path: of the file: an index as FAISS writes it, a converted one, or a voice that holds one.

    Attributes:
        path: of the file.
        size: of the serialized index in bytes.
        type: FAISS's name of its type.
        card: of the file, if it is one of ours.
        dimension, count: of its vectors.
        lists: number of inverted lists, or None.
        probes: number of lists that the file says are searched, or None.
        stored: the file in memory, of which FAISS holds views.

    Raises:
        WeightsError: if it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.stored = found = read_usable(path)
        self.path, self.size, self.type = path, found.data.size, str(found.layout)
        card = identify(path).card
        self.card = card if isinstance(card, TrainedCard) else None
        try:
            self._whole = read_faiss(found)
        except RuntimeError as error:
            text = f"{path}: FAISS cannot read it: {str(error).splitlines()[-1]}"
            raise WeightsError(Problem("unusable-index", text)) from None
        self._index: Any = without_identifiers(self._whole)
        self._steps = transforms(self._index)
        self._lists: Any = faiss.try_extract_index_ivf(self._index)  # FAISS's types lack much
        self.dimension, self.count = found.layout.dimension, found.layout.vectors
        inner = self._lists
        self.lists = None if inner is None else inner.nlist
        self.probes = None if inner is None else min(inner.nprobe, inner.nlist)

    def centres(self) -> np.ndarray:
        """Of the inverted lists, before any transform: float32 ``[lists, dimension]``."""
        coarse = faiss.downcast_index(self._lists.quantizer)
        return reversed_by(self._steps, coarse.reconstruct_n(0, self._lists.nlist))

    def list_sizes(self) -> np.ndarray:
        """Vectors in each inverted list, int64 ``[lists]``; empty without lists."""
        if self._lists is None:
            return np.zeros(0, np.int64)
        stored = self._lists.invlists
        return np.array([stored.list_size(n) for n in range(self._lists.nlist)], np.int64)

    def chunks(self) -> Iterator[Chunk]:
        """All vectors, at most :data:`ROWS` at a time."""
        start = 0
        for ids, lists, stored in self._pieces():
            yield Chunk(start, ids, lists, reversed_by(self._steps, stored))
            start += len(ids)

    def rows(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Identifiers, lists and vectors of some, by their place in :meth:`chunks`.

        Args:
            numbers: int64 ``[n]``, ascending.
        """
        ids, lists = np.empty(len(numbers), np.int64), np.empty(len(numbers), np.int64)
        vectors = np.empty((len(numbers), self.dimension), np.float32)
        for chunk in self.chunks():
            first, last = np.searchsorted(numbers, (chunk.start, chunk.start + len(chunk.ids)))
            own = numbers[first:last] - chunk.start
            ids[first:last], lists[first:last] = chunk.ids[own], chunk.lists[own]
            vectors[first:last] = chunk.vectors[own]
        return ids, lists, vectors

    def _pieces(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Identifiers, lists, and vectors after the transforms."""
        if self._lists is None:
            inner = faiss.downcast_index(self._index.index) if self._steps else self._index
            for start in range(0, self.count, ROWS):
                count = min(ROWS, self.count - start)
                ids = np.arange(start, start + count)
                yield ids, np.zeros(count, np.int64), inner.reconstruct_n(start, count)
            return
        held: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        rows = 0
        for number, size in enumerate(self.list_sizes()):
            for start in range(0, int(size), ROWS):
                count = min(ROWS, int(size) - start)
                if rows + count > ROWS:
                    yield _joined(held)
                    held, rows = [], 0
                held.append(self._part_of_list(number, start, count))
                rows += count
        if held:
            yield _joined(held)

    def _part_of_list(
        self, number: int, start: int, count: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        inner = self._lists
        size = inner.invlists.list_size(number)
        ids = faiss.rev_swig_ptr(inner.invlists.get_ids(number), size)[start : start + count]
        vectors = np.empty((count, inner.d), np.float32)
        for row in range(count):
            inner.reconstruct_from_offset(number, start + row, faiss.swig_ptr(vectors[row]))
        return ids.copy(), np.full(count, number, np.int64), vectors


def _joined(
    held: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ids, lists, vectors = zip(*held, strict=True)
    return np.concatenate(ids), np.concatenate(lists), np.concatenate(vectors)
