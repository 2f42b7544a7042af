"""k-means and product quantizers: the numbers of FAISS's own training."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import pytest

from voicegraph.training.index.clustering import (
    LIST_ITERATIONS,
    kmeans,
    list_count,
    threads,
    train_product,
)

from .conftest import clumps

pytestmark = pytest.mark.numeric


def test_lists_are_those_that_faiss_trains() -> None:
    vectors = clumps(9000)  # more than 256 for each list: FAISS takes a sample
    told: list[int] = []
    with threads(1):
        expected: Any = faiss.index_factory(16, "IVF20,Flat")
        expected.train(vectors)
        found = kmeans(vectors, 20, LIST_ITERATIONS, lambda _, done: told.append(done))
    np.testing.assert_array_equal(found, expected.quantizer.reconstruct_n(0, 20))
    assert told == list(range(1, LIST_ITERATIONS + 1))


def test_product_quantizers_are_those_that_faiss_trains(capfd: pytest.CaptureFixture[str]) -> None:
    vectors = clumps(2000)
    expected, found = (faiss.ProductQuantizer(16, 4, 8) for _ in range(2))
    told: list[int] = []
    with threads(1):
        expected.train(vectors)
        capfd.readouterr()  # FAISS finds 2,000 few
        train_product(found, vectors, lambda _, done: told.append(done))
    assert capfd.readouterr().err == ""
    np.testing.assert_array_equal(
        faiss.vector_to_array(found.centroids), faiss.vector_to_array(expected.centroids)
    )
    assert told == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("vectors", "lists"), [(1, 1), (78, 2), (20_000, 512), (200_000, 5128), (300_000, 7692)]
)
def test_there_are_as_many_lists_as_rvc_makes(vectors: int, lists: int) -> None:
    assert list_count(vectors) == lists
