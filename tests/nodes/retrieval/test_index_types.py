"""Every type of FAISS index that gives vectors back, and those that do not."""

from __future__ import annotations

import contextlib
import functools
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph.files.models import WeightsError
from voicegraph.nodes.retrieval._faiss_example import vectors
from voicegraph.nodes.retrieval._index_search import StoredIndex
from voicegraph.nodes.retrieval.index_file import Located, locate

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric

FAISS: Any = faiss
"""With what its types leave out."""
DIMENSION = 16
STORED = vectors(300, DIMENSION)
QUERIES = vectors(40, DIMENSION, seed=7)
SCALAR = ("SQ8_direct_signed", "SQtqmse1", "SQtqmse4", "SQtqmse8", "SQtq2", "SQtq5")
ADDITIVE = (
    *("RQ2x4", "RQ1x5_2x4_Nfloat", "RQ2x4_Nqint8", "RQ2x4_Ncqint4", "RQ4x4_Ncqint8"),
    *("RQ4x4_Nlsq2x4", "RQ4x4_Nrq2x4", "LSQ4x4", "LSQ4x4_Nqint4", "PRQ2x2x4", "PLSQ2x2x4"),
    *("IVF8,RQ2x4", "IVF8,RQ2x4_Nqint8", "IVF8,LSQ4x4", "IVF8,PRQ2x2x4", "IVF8,PLSQ2x2x4"),
)
BLOCKS = ("PQ4x4fs", "PQ8x4fs", "IVF8,PQ4x4fs", "IVF8,PQ4x4fsr", "OPQ4_16,IVF8,PQ4x4fs")
RANKED = (
    *("RQ4x4fs_32_Nrq2x4", "RQ3x4fs_32_Nlsq2x4", "LSQ4x4fs_32_Nlsq2x4"),
    *("PRQ2x2x4fs_32_Nrq2x4", "PLSQ2x2x4fs_32_Nlsq2x4"),
    *("IVF8,RQ4x4fs_32_Nrq2x4", "IVF8,RQ3x4fsr_32_Nrq2x4", "IVF8,LSQ4x4fsr_32_Nlsq2x4"),
    *("IVF8,PRQ2x2x4fs_32_Nrq2x4", "IVF8,PLSQ2x2x4fsr_32_Nlsq2x4"),
    *("LSH", "LSHr", "LSHrt", "LSHt", "LSH12rt"),
)
"""Types of which FAISS's distances are none."""
BITS = ("RaBitQ", "RaBitQ4", "RaBitQfs", "RaBitQfs4", "IVF8,RaBitQ", "IVF8,RaBitQ4")
EDEN = ("EDEN1", "EDEN4", "EDEN8", "IVF8,EDEN1", "IVF8,EDEN4")
GRAPHS = (
    "NSG8",
    "NSG8,SQ8",
    "NSG8,PQ4x4",
    "HNSW8,RaBitQ",
    "HNSW8,FlatPanorama4",
    "NNDescent",
    "CAGRA",
)
WHOLE = ("FlatL2Panorama4", "FlatL2Panorama4_64", "IVF8,FlatPanorama4", "HR,Flat")
AROUND = (
    *("IDMap,RQ2x4", "IDMap,IVF8,PQ4x4fs", "IDMap2,NSG8", "PCA8,RQ2x4", "PQ4x4fs,RFlat"),
    *("IVF8,PQ4x4fs,Refine(SQfp16)", "IVF16(RCQ2x2),Flat", "IVF4(PQ2x1),Flat", "IMI2x2,PQ4x4"),
)
KINDS = (
    *SCALAR,
    *ADDITIVE,
    *BLOCKS,
    *RANKED,
    *BITS,
    *EDEN,
    *GRAPHS,
    *WHOLE,
    *AROUND,
)


@functools.cache
def _made(kind: str) -> tuple[Any, bytes]:
    """An index of 300 vectors, and its file."""
    faiss.omp_set_num_threads(1)  # for so few, more take longer
    if kind == "NNDescent":
        index = FAISS.IndexNNDescentFlat(DIMENSION, 12)
    elif kind == "CAGRA":
        index = FAISS.IndexHNSWCagra(DIMENSION, 8)
    else:
        index = faiss.index_factory(DIMENSION, kind)
    index.train(STORED)
    if "IDMap" in kind:
        index.add_with_ids(STORED, 10_000 + 3 * np.arange(len(STORED)))
    else:
        index.add(STORED)
    return index, faiss.serialize_index(index).tobytes()


def _written(folder: Path, whole: bytes | bytearray) -> Path:
    path = folder / "some.index"
    path.unlink(missing_ok=True)  # the one before may still be mapped
    path.write_bytes(whole)
    return path


def _located(folder: Path, whole: bytes) -> Located:
    found = locate(_written(folder, whole))
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_gives_back_what_faiss_gives(tmp_path: Path, kind: str) -> None:
    index, whole = _made(kind)
    found = _located(tmp_path, whole)
    assert found.layout.unsupported is None
    assert (found.layout.vectors, found.layout.dimension) == (300, DIMENSION)
    distances, given = StoredIndex(found).search(QUERIES, 8)

    expected, labels = index.search(QUERIES, 8)
    inside: Any = faiss.downcast_index(index.index) if "IDMap" in kind else index
    if "IDMap" in kind:
        labels = np.where(labels < 0, -1, (labels - 10_000) // 3)
    lists = FAISS.try_extract_index_ivf(inside)
    if lists is not None:
        lists.make_direct_map()
    there = labels >= 0
    np.testing.assert_array_equal(np.isfinite(distances), there)
    assert_close(given[there], inside.reconstruct_batch(labels[there]), rounding(DIMENSION))
    if kind in RANKED:
        expected = np.square(QUERIES[:, None] - given).sum(2)
    assert_close(distances[there], expected[there], rounding(DIMENSION))


NEAR = sorted({*KINDS} - {"SQ8_direct_signed"})
"""Those that were made for any numbers."""


@pytest.mark.parametrize("kind", NEAR)
def test_what_is_given_back_is_near_what_was_put_in(tmp_path: Path, kind: str) -> None:
    """In every block and list, so that FAISS's own mistakes would be found, too."""
    stored = StoredIndex(_located(tmp_path, _made(kind)[1]))
    _, given = stored.search(STORED, 8)
    nearest = np.linalg.norm(given - STORED[:, None], axis=2).min(1)
    assert nearest.mean() < 0.9 * np.linalg.norm(STORED, axis=1).mean()
    assert (nearest < 1.5 * np.linalg.norm(STORED, axis=1)).mean() > 0.98


# ---- what cannot serve ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("SQ0", "scalar quantizer of 0 bits, which keeps nothing of a vector"),
        (
            "PQ4x4fs_64",
            "IndexPQFastScan in blocks of 64, from which FAISS gives wrong vectors back",
        ),
        ("IVF8,RaBitQfs", "IndexIVFRaBitQFastScan, from which FAISS gives wrong vectors back"),
        ("ITQ8,Flat", "IndexPreTransform by ITQ, which FAISS cannot undo to give vectors back"),
        ("LSH8", "IndexLSH of 8 of 16 dimensions, which gives back no others"),
        ("IVF8,FlatDedup", "IndexIVFFlatDedup, from which FAISS cannot give vectors back"),
        ("Residual8,PQ4x4", "Index2Layer, which FAISS cannot search"),
        ("SQ8,Refine(FlatL2Panorama4)", "IndexRefine over a panorama, whose distances FAISS gets"),
    ],
)
def test_says_why_a_type_cannot_serve(tmp_path: Path, kind: str, text: str) -> None:
    unsupported = _located(tmp_path, _made(kind)[1]).layout.unsupported
    assert unsupported is not None
    assert unsupported.text.startswith(text)
    assert unsupported.fix.startswith("use the voice's added_*.index, or build ")


@pytest.mark.parametrize("code", [b"IvFL", b"IvPQ", b"IxPQ", b"Irfs"])
def test_says_how_to_renew_an_old_index(tmp_path: Path, code: bytes) -> None:
    unsupported = _located(tmp_path, code + _made("RQ2x4")[1][4:]).layout.unsupported
    assert unsupported is not None
    assert unsupported.text.endswith(" of an old FAISS")
    assert (
        unsupported.fix == "let FAISS write it anew: faiss.write_index(faiss.read_index(OLD), NEW)"
    )


def test_an_index_of_two_levels_is_not_followed(tmp_path: Path) -> None:
    unsupported = _located(tmp_path, b"IHN2" + _made("RQ2x4")[1][4:]).layout.unsupported
    assert unsupported is not None
    assert unsupported.text == "IndexHNSW2Level, whose parts are not checked here"


def test_a_lattice_has_no_vectors_in_its_file(tmp_path: Path) -> None:
    unsupported = _located(tmp_path, _made("ZnLattice4x10_4")[1]).layout.unsupported
    assert unsupported is not None
    assert unsupported.text == "IndexLattice, whose vectors FAISS does not write to the file"


# ---- damaged and hostile -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cut_off_is_missed(tmp_path: Path, kind: str) -> None:
    whole = _made(kind)[1]
    places = {*np.linspace(4, len(whole) - 1, 40).astype(int).tolist(), len(whole) - 1}
    for place in places:
        path = _written(tmp_path, whole[:place])
        with pytest.raises(WeightsError, match=r"it ends too early|belong|does not hold together"):
            locate(path)


HUGE = [1 << 31, (1 << 32) - 1, 1 << 33, 1 << 40, (1 << 62) + 1, 1 << 63, (1 << 64) - 1]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is written again and again."""
    return tmp_path_factory.mktemp("scratch")


@settings(max_examples=200)
@given(st.sampled_from(KINDS), st.data())
def test_no_size_takes_memory_before_it_is_checked(scratch: Path, kind: str, data) -> None:
    broken = bytearray(_made(kind)[1])
    place = data.draw(st.integers(4, min(len(broken) - 8, 600)))
    broken[place : place + 8] = struct.pack("<Q", data.draw(st.sampled_from(HUGE)))
    path = _written(scratch, broken)
    tracemalloc.start()
    try:
        with contextlib.suppress(WeightsError):
            locate(path)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8 * len(broken) + 1_000_000


def _changed(kind: str, code: bytes, offset: int, layout: str, *values: int) -> bytes:
    """The file with other values ``offset`` bytes behind the last of FAISS's four characters."""
    broken = bytearray(_made(kind)[1])
    struct.pack_into(f"<{layout}", broken, broken.rindex(code) + 4 + offset, *values)
    return bytes(broken)


H = 33
"""Bytes of a header."""


@pytest.mark.parametrize(
    ("kind", "code", "offset", "value", "message"),
    [
        ("RQ2x4", b"IxRq", H, 17, "additive quantizer, of 17 dimensions, does not fit"),
        ("RQ2x4", b"IxRq", H + 8, 3, "additive quantizer, of 16 dimensions, does not fit itself"),
        ("RQ2x4", b"IxRq", H + 16, 1 << 61, "its bits of codebooks would take 1.84e"),
        ("RQ2x4", b"IxRq", H + 24, 60, "codebooks of 60 bits"),
        ("RQ2x4", b"IxRq", H + 24, 5, "has 512 values of codebooks where 768 belong"),
        ("RQ2x4", b"IxRq", H + 41, 1 << 60, "its values of codebooks would take 4.61e"),
        ("PRQ2x2x4", b"IxPR", H + 32, 3, "the parts of its additive quantizer do not add up to it"),
        ("RaBitQ4", b"Ixrr", H + 20, 10, "RaBitQ quantizer, of 16 dimensions, does not fit"),
        ("RaBitQ4", b"Ixrr", H + 8, 1 << 40, "RaBitQ quantizer, of 16 dimensions, does not fit"),
        ("RaBitQ4", b"Ixrr", H + 28, 1 << 40, "its bytes of vectors would take 1.1e"),
        ("EDEN4", b"IxEe", H + 20, 9, "EDEN quantizer, of 16 dimensions, does not fit"),
        ("FlatL2Panorama4", b"IxFP", 4, 0, "cut into 0 levels"),
        ("FlatL2Panorama4", b"IxFP", 12, 1 << 50, "cut into 4 levels, 1125899906842624 side by"),
        ("FlatL2Panorama4", b"IxFP", 20, 1 << 40, "its bytes of vectors where|bytes of vectors"),
        ("IVF8,FlatPanorama4", b"ilp2", 16, 5, "its lists have 5 levels where 4 belong"),
        ("IVF8,PQ4x4fs", b"ilbl", 0, 9, "9 lists with 2 bytes a vector where 8 with 2 belong"),
        ("IVF8,PQ4x4fs", b"ilbl", 16, 64, "blocks of 64 vectors where 32 belong"),
        ("IVF8,PQ4x4fs", b"ilbl", 32, 1 << 60, "identifiers of vectors would take 9.22e"),
        ("LSHr", b"IxHe", H, (1 << 30) | (1 << 32), "1073741824 bits a vector do not fit"),
        ("IMI2x2,PQ4x4", b"Imiq", 4, 17, "it holds 17 vectors where 16 belong"),
    ],
)
def test_sizes_that_a_file_only_claims(
    tmp_path: Path, kind: str, code: bytes, offset: int, value: int, message: str
) -> None:
    path = _written(tmp_path, _changed(kind, code, offset, "Q", value))
    with pytest.raises(WeightsError, match=message):
        locate(path)


@pytest.mark.parametrize(
    ("kind", "code", "offset", "value"),
    [
        ("NSG8", b"INSf", H + 21 + 4, 1 << 30),  # links a node
        ("NSG8", b"INSf", H + 21 + 16, 301),  # kept in view: FAISS would look for ever
        ("NSG8", b"INSf", H + 21 + 20, 300),  # where to begin
        ("NSG8", b"INSf", H + 21 + 25, 300),  # a link
        ("NNDescent", b"INNf", H + 49, -1),  # a link
        ("NNDescent", b"INNf", H + 28, 300),  # kept in view
    ],
)
def test_graphs_hold_together(
    tmp_path: Path, kind: str, code: bytes, offset: int, value: int
) -> None:
    path = _written(tmp_path, _changed(kind, code, offset, "i", value))
    with pytest.raises(WeightsError, match="graph of neighbours"):
        locate(path)


@pytest.mark.parametrize(
    ("kind", "offset", "layout", "value", "message"),
    [
        ("PQ4x4fs", -37, "i", 16, "the way in which it says to search it"),
        ("PQ4x4fs", -33, "i", 33, "its blocks of 33 vectors"),
        ("PQ4x4fs", -29, "i", 0x15, "the way in which it says to search it"),
        ("PQ4x4fs", -25, "Q", 352, "room for 352 vectors where 300 are in blocks"),
        ("PQ4x4fs", -17, "Q", 6, "of 6 parts do not hold together"),
    ],
)
def test_blocks_hold_together(
    tmp_path: Path, kind: str, offset: int, layout: str, value: int, message: str
) -> None:
    broken = bytearray(_made(kind)[1])
    end = len(broken) - 320 * 2  # of what stands before the blocks, the last thing
    struct.pack_into(f"<{layout}", broken, end + 1 + offset, value)
    with pytest.raises(WeightsError, match=message):
        locate(_written(tmp_path, broken))


def test_tables_that_faiss_would_make_are_in_proportion(tmp_path: Path) -> None:
    whole = _made("IMI2x2,PQ4x4")[1]
    lists = struct.pack("<Q", 1 << 24)
    path = _written(tmp_path, whole[:37] + lists + whole[45:])
    with pytest.raises(
        WeightsError, match=r"its lists would take 2.15 GB of memory, far more than"
    ):
        locate(path)


def test_places_of_vectors_are_in_a_list(tmp_path: Path) -> None:
    index: Any = faiss.index_factory(DIMENSION, "IVF8,Flat")
    index.train(STORED)
    index.add(STORED)
    for form in (FAISS.DirectMap.Array, FAISS.DirectMap.Hashtable):
        index.set_direct_map_type(FAISS.DirectMap.NoMap)
        index.set_direct_map_type(form)
        whole = faiss.serialize_index(index).tobytes()
        assert _located(tmp_path, whole).layout.vectors == 300
        broken = bytearray(whole)
        end = broken.index(b"ilar")
        broken[end - 8 : end] = struct.pack("<Q", 8 << 32)
        with pytest.raises(WeightsError, match="it has places of vectors that are in no list"):
            locate(_written(tmp_path, broken))


def test_no_more_lists_are_searched_than_there_are(tmp_path: Path) -> None:
    index, _ = _made("IVF8,PQ4x4fs")
    index.nprobe = 1 << 40
    try:
        whole = faiss.serialize_index(index).tobytes()
    finally:
        index.nprobe = 1
    distances, _ = StoredIndex(_located(tmp_path, whole)).search(QUERIES, 64)
    assert np.isfinite(distances).all()
