"""Reading the vectors of an index of any type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from voicegraph.graph.errors import WeightsError
from voicegraph.training.index import source as module
from voicegraph.training.index.source import IndexSource

from .conftest import clumps

pytestmark = pytest.mark.numeric

KINDS = (
    "Flat", "IVF8,Flat", "IVF1,Flat", "IVF8,SQ8", "IVF8,PQ4x4", "OPQ4_16,IVF8,PQ4x4", "PCA8,Flat",
    "IDMap,IVF8,Flat", "IVF8_HNSW4,Flat",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_vector_comes_once_as_faiss_gives_it_back(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "ROWS", 100)  # some lists are longer than that
    index: Any = faiss.index_factory(16, kind)
    index.train(clumps(500))
    index.add_with_ids(clumps(500), np.arange(500)) if "IDMap" in kind else index.add(clumps(500))
    capfd.readouterr()  # FAISS finds 500 few
    faiss.write_index(index, str(tmp_path / "some.index"))
    whole: Any = faiss.downcast_index(index.index) if "IDMap" in kind else index
    expected = np.stack([whole.reconstruct_n(0, 500)])[0]
    opened = IndexSource(tmp_path / "some.index")
    chunks = list(opened.chunks())
    assert max(len(chunk.ids) for chunk in chunks) <= 100
    assert [chunk.start for chunk in chunks] == [
        sum(len(chunk.ids) for chunk in chunks[:n]) for n in range(len(chunks))
    ]
    ids = np.concatenate([chunk.ids for chunk in chunks])
    assert sorted(ids) == list(range(500))
    for chunk in chunks:
        np.testing.assert_allclose(chunk.vectors, expected[chunk.ids], atol=1e-5)
    wanted = np.array([0, 7, 99, 100, 101, 499])
    some, _, vectors = opened.rows(wanted)
    np.testing.assert_array_equal(some, ids[wanted])
    np.testing.assert_allclose(vectors, expected[some], atol=1e-5)


def test_lists_and_centres_are_those_of_the_file(source: IndexSource) -> None:
    assert (source.lists, source.probes, source.count) == (30, 1, 1200)
    nearest = faiss.IndexFlatL2(16)
    nearest.add(source.centres())
    for chunk in source.chunks():
        np.testing.assert_array_equal(nearest.assign(chunk.vectors, 1)[:, 0], chunk.lists)
    assert source.list_sizes().sum() == 1200


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "some.index").write_bytes(b"IwFl")
    with pytest.raises(WeightsError):
        IndexSource(tmp_path / "some.index")
