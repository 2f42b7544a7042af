"""How near a search is to the exact one."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from voicegraph.nodes.retrieval.index_search import StoredIndex
from voicegraph.training.index.accuracy import (
    NEIGHBOURS,
    accuracy,
    exact_neighbours,
    search_ms,
)
from voicegraph.training.index.queries import foreign_vectors, own_vectors
from voicegraph.training.index.source import IndexSource

from .conftest import clumps

pytestmark = pytest.mark.numeric


def test_exact_search_finds_what_comparing_all_finds(source: IndexSource) -> None:
    queries = foreign_vectors(clumps(50, seed=2), "other")
    truth = exact_neighbours(source, queries)
    stored = clumps(1200).astype(np.float64)
    distances = np.square(stored[None] - queries.vectors[:, None]).sum(2)
    expected = np.argsort(distances, 1)[:, :NEIGHBOURS]
    np.testing.assert_array_equal(truth.ids, expected)
    weights = np.take_along_axis(distances, expected, 1) ** -2
    mean = (stored[expected] * (weights / weights.sum(1, keepdims=True))[..., None]).sum(1)
    np.testing.assert_allclose(truth.mean, mean, atol=1e-4)


def test_a_vector_is_not_its_own_neighbour(source: IndexSource) -> None:
    queries = own_vectors(source, seed=1, most=40)
    truth = exact_neighbours(source, queries)
    assert not (truth.ids == queries.own[:, None]).any()
    np.testing.assert_array_equal(queries.vectors, clumps(1200)[queries.own])
    found = accuracy(StoredIndex(source.stored, 30), truth, 0.5)
    assert found.recall == 1.0
    assert found.blend < 1e-6


def test_fewer_lists_are_farther_and_errors_belong_together(source: IndexSource) -> None:
    truth = exact_neighbours(source, own_vectors(source, seed=1))
    one, four = (accuracy(StoredIndex(source.stored, n), truth, 0.5) for n in (1, 4))
    assert one.recall < four.recall <= 1
    assert one.blend > four.blend > 0
    assert one.cosine < four.cosine < 1
    whole = accuracy(StoredIndex(source.stored, 1), truth, 1.0)
    assert whole.blend == pytest.approx(whole.mean)
    assert accuracy(StoredIndex(source.stored, 1), truth, 0.0).blend == 0


def test_an_index_of_few_vectors_can_be_judged(tmp_path: Path) -> None:
    index = faiss.IndexFlatL2(16)
    index.add(clumps(3))
    faiss.write_index(index, str(tmp_path / "few.index"))
    few = IndexSource(tmp_path / "few.index")
    truth = exact_neighbours(few, own_vectors(few, seed=1))
    assert [sorted(row[row >= 0]) for row in truth.ids] == [[1, 2], [0, 2], [0, 1]]
    stored = StoredIndex(few.stored, None)
    found = accuracy(stored, truth, 0.5)
    assert (found.recall, found.mean) == (1.0, pytest.approx(0, abs=1e-6))
    assert search_ms(stored, truth.queries) > 0
