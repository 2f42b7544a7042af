"""Memory and threads of an index in use."""

from __future__ import annotations

import threading
import weakref

import faiss
import numpy as np
import pytest
import torch

from voicegraph.nodes.retrieval._faiss_example import vectors
from voicegraph.nodes.retrieval.index_search import open_index

pytestmark = pytest.mark.numeric


def test_faiss_uses_the_bytes_that_were_checked(build) -> None:
    """Vectors are in memory once: FAISS holds views."""
    stored = open_index(build("IVF8,Flat"), 8)
    query = vectors(1, 16, seed=3)
    before = stored.search(query, 1)[1].copy()
    stored._bytes[stored._bytes.size // 2 :] = 0
    assert not np.array_equal(stored.search(query, 8)[1], before)


def test_the_index_is_let_go_with_its_last_user(build) -> None:
    path = build("IVF8,Flat")
    first = open_index(path, None)
    assert open_index(path, None) is first
    held = weakref.ref(first._bytes)
    del first
    assert held() is None


def test_searches_use_the_threads_that_pytorch_uses(build) -> None:
    stored = open_index(build("IVF8,Flat"), None)
    before = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            stored.search(vectors(28, 16), 8)
            assert faiss.omp_get_max_threads() == count
    finally:
        torch.set_num_threads(before)
        faiss.omp_set_num_threads(before)


def test_the_number_of_threads_changes_no_number(build) -> None:
    stored = open_index(build("IVF8,Flat"), None)
    queries = vectors(70, 16, seed=3)
    before, found = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(stored.search(queries, 8))
    finally:
        torch.set_num_threads(before)
        faiss.omp_set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_several_threads_may_search_at_once(build) -> None:
    stored = open_index(build("IVF8_HNSW4,Flat"), None)
    queries = vectors(40, 16, seed=3)
    expected = stored.search(queries, 8)
    wrong: list[int] = []

    def search(number: int) -> None:
        for _ in range(20):
            found = stored.search(queries, 8)
            if not all(map(np.array_equal, found, expected)):
                wrong.append(number)

    workers = [threading.Thread(target=search, args=(n,)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
