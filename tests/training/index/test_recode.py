"""Vectors in another encoding: the lists stay, and codes are those of FAISS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from voicegraph.graph.errors import PipelineError
from voicegraph.training.index.clustering import threads
from voicegraph.training.index.encodings import parse_encoding
from voicegraph.training.index.recode import group, recode
from voicegraph.training.index.source import IndexSource

from .conftest import clumps

pytestmark = pytest.mark.numeric


def made(source: IndexSource, text: str, lists: int | None = None) -> Any:
    with threads(1):
        return recode(source, parse_encoding(text, 16), group(source, lists, 1), 4, 1)


def stored(found: Any) -> np.ndarray:
    """All vectors by identifier."""
    inner = faiss.extract_index_ivf(found)
    inner.make_direct_map()
    return found.reconstruct_n(0, found.ntotal)


@pytest.mark.parametrize("text", ["flat", "fp16", "sq8", "sq4", "pq:4"])
def test_vectors_are_stored_as_faiss_stores_them(
    source: IndexSource, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """FAISS trains on the same vectors, of which there are too few for a sample."""
    found = made(source, text)
    expected: Any = faiss.index_factory(16, parse_encoding(text, 16).factory(30))
    expected.quantizer.add(source.centres())
    with threads(1):
        expected.train(source.rows(np.arange(1200))[2])
    capfd.readouterr()  # FAISS finds 1,200 few
    for chunk in source.chunks():
        expected.add_with_ids(chunk.vectors, chunk.ids)
    expected.nprobe = 4
    if text != "pq:4":  # FAISS puts those centres into an order for another kind of search
        one, other = faiss.serialize_index(found), faiss.serialize_index(expected)
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(stored(found), stored(expected))


def test_flat_keeps_every_bit(source: IndexSource) -> None:
    np.testing.assert_array_equal(stored(made(source, "flat")), clumps(1200))


def test_opq_turns_vectors_and_centres_alike(source: IndexSource) -> None:
    found = made(source, "opq:8")
    assert (found.ntotal, faiss.extract_index_ivf(found).nprobe) == (1200, 4)
    turned: Any = faiss.downcast_VectorTransform(found.chain.at(0))
    rotation = faiss.vector_to_array(turned.A)
    rotation = rotation.reshape(16, 16)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(16), atol=1e-5)
    error, plain = (
        np.square(stored(made(source, text)) - clumps(1200)).mean() for text in ("opq:8", "pq:8")
    )
    assert error < 1.5 * plain  # centres that were not turned, too, would leave far more


@pytest.mark.parametrize("text", ["flat", "pq:4", "opq:4"])
def test_new_lists_hold_the_vectors_nearest_to_their_centres(
    source: IndexSource, text: str
) -> None:
    with threads(1):
        grouping = group(source, 10, 1)
    assert len(grouping.centres) == 10
    inner: Any = faiss.extract_index_ivf(whole := made(source, text, lists=10))
    sizes = np.bincount(grouping.nearest(clumps(1200)), minlength=10)
    assert [inner.invlists.list_size(n) for n in range(10)] == list(sizes)
    assert whole.ntotal == 1200


@pytest.mark.parametrize("text", ["sq8", "pq:4", "opq:4"])
def test_the_same_bytes_come_again(source: IndexSource, text: str) -> None:
    one, other = (faiss.serialize_index(made(source, text)) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_impossible_forms_are_refused(tmp_path: Path) -> None:
    index = faiss.IndexFlatL2(16)
    index.add(clumps(100))
    faiss.write_index(index, str(tmp_path / "few.index"))
    few = IndexSource(tmp_path / "few.index")
    with pytest.raises(PipelineError, match="pq:4 needs at least 256 vectors"):
        made(few, "pq:4")
    with pytest.raises(PipelineError, match="at most as many lists as vectors, 100, found 101"):
        made(few, "sq8", lists=101)
    assert made(few, "sq8").nlist == 2  # as RVC would have made
