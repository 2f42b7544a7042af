"""Search of many lists by a product: what it finds is what FAISS finds."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
import torch

from voicegraph.nodes.retrieval import _list_search
from voicegraph.nodes.retrieval._faiss_example import vectors
from voicegraph.nodes.retrieval._list_search import ListSearch
from voicegraph.nodes.retrieval.index_search import StoredIndex
from voicegraph.nodes.retrieval.usable_index import read_usable

pytestmark = pytest.mark.numeric

QUERIES = vectors(40, 16, seed=3)
KINDS = ("IVF32,Flat", "IVF32,SQ8", "IVF32,PQ4x4", "OPQ4_16,IVF32,PQ4x4", "PCA8,IVF32,Flat")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small indexes are searched as large ones are."""
    monkeypatch.setattr(_list_search, "FEWEST_VALUES", 1)


def opened(path, probes: int) -> tuple[StoredIndex, StoredIndex]:
    """The index as it is searched, and as FAISS alone searches it."""
    ours, plain = (StoredIndex(read_usable(path), probes) for _ in range(2))
    assert ours._lists is not None
    plain._lists = None
    return ours, plain


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("probes", [1, 5, 8])
def test_finds_what_faiss_finds(build, kind: str, probes: int) -> None:
    ours, plain = opened(build(kind, dimension=16), probes)
    for one, other in zip(
        ours.search_labelled(QUERIES, 9), plain.search_labelled(QUERIES, 9), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("always")
def test_missing_neighbours_and_nan_are_as_faiss_has_them(build) -> None:
    ours, plain = opened(build("IVF32,Flat"), 1)
    queries = QUERIES.copy()
    queries[3, 2] = np.nan
    found, expected = ours.search_labelled(queries, 60), plain.search_labelled(queries, 60)
    assert (expected[1] < 0).any(1).all()  # no list holds 60
    assert (found[1][3] == -1).all()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("always")
def test_neither_threads_nor_the_number_of_queries_change_a_number(build) -> None:
    ours, _ = opened(build("IVF32,Flat"), 5)
    whole = ours.search_labelled(QUERIES, 8)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            for size in (1, 8, 10):  # FAISS searches for a single one
                parts = [ours.search_labelled(part, 8) for part in np.split(QUERIES, 40 // size)]
                for one, other in zip(whole, zip(*parts, strict=True), strict=True):
                    np.testing.assert_array_equal(one, np.concatenate(other))
    finally:
        torch.set_num_threads(threads)


def test_near_ties_of_centres_are_decided_by_differences() -> None:
    """A product cannot tell apart centres that are far from 0 and near to each other."""
    random = np.random.default_rng(1)
    centres = (1000 + random.standard_normal((64, 16))).astype(np.float32)
    coarse = faiss.IndexFlatL2(16)
    lists = faiss.IndexIVFFlat(coarse, 16, 64)
    coarse.add(centres)
    lists.is_trained = True
    lists.nprobe = 3
    lists.add(centres)
    queries = (1000 + random.standard_normal((40, 16))).astype(np.float32)
    found, near = ListSearch(lists)._nearest_lists(queries)
    distances, expected = coarse.search(queries, 3)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(near, distances, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "probes", "pays"),
    [
        ("IVF32,Flat", 8, True),
        ("IVF32,Flat", 9, False),  # FAISS compares with all of them anyway
        ("IVF32_HNSW4,Flat", 1, False),  # a graph is fast by itself
    ],
)
@pytest.mark.usefixtures("always")
def test_only_many_plain_centres_are_searched_by_a_product(
    build, kind: str, probes: int, pays: bool
) -> None:
    index = faiss.read_index(str(build(kind, probes=probes)))
    assert ListSearch.pays(faiss.extract_index_ivf(index)) == pays


def test_few_centres_are_left_to_faiss(build) -> None:
    index = faiss.read_index(str(build("IVF32,Flat")))
    assert not ListSearch.pays(faiss.extract_index_ivf(index))
