"""Which types of FAISS index are read, what damage is found, and what to type about the others."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from voicegraph.graph.files.faiss_files.index_bytes import Located
from voicegraph.graph.files.faiss_files.repair import (
    converting_line,
    recounting_line,
)
from voicegraph.graph.files.models import WeightsError
from voicegraph.nodes.retrieval._faiss_example import vectors, with_lists
from voicegraph.nodes.retrieval.index_file import locate
from voicegraph.nodes.retrieval.index_search import StoredIndex

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric

FAISS: Any = faiss
"""With what its types leave out."""
DIMENSION = 16
STORED = vectors(300, DIMENSION)
QUERIES = vectors(40, DIMENSION, seed=7)
KINDS = (
    *("Flat", "IVF8,Flat", "IVF8_HNSW4,Flat", "IDMap,Flat", "IDMap2,IVF8,Flat", "OPQ4_16,Flat"),
    *("IVF8,SQ8", "IVF8,SQ4", "IVF8,SQ6", "IVF8,SQfp16", "IVF8,SQbf16", "IVF8_HNSW4,SQ8"),
    *("IVF8,PQ4x4", "OPQ4_16,IVF8,PQ4x4", "OPQ4_8,IVF8_HNSW4,PQ4x4", "IDMap,OPQ4_16,IVF8,PQ4x4"),
    *("PCA8,IVF8,Flat", "PCAR8,Flat", "RR16,IVF8,SQ8"),
)
"""What people's files hold, by FAISS's name in its factory."""
CONVERTIBLE = (
    *("SQ8", "PQ4x4", "HNSW8", "HNSW8_SQ8", "NSG8", "IVF8,Flat,RFlat", "RQ2x4", "RaBitQ", "EDEN4"),
    *("IVF8,RQ2x4", "IVF8,FlatPanorama4", "FlatL2Panorama4", "Pad32,Flat", "HR,Flat"),
    *("IMI2x2,PQ4x4", "IDMap,HNSW8", "IDMap,SQ8", "IVF8,SQtqmse4", "CAGRA"),
)
REBUILT = (
    *("PQ4x4fs", "IVF8,PQ4x4fs", "IVF8,RaBitQfs", "IVF8,FlatDedup", "LSH8", "ITQ8,Flat"),
    *("ZnLattice4x10_4", "L2norm,Flat"),
)


@functools.cache
def _made(kind: str) -> tuple[Any, bytes]:
    """An index of 300 vectors, and its file."""
    faiss.omp_set_num_threads(1)  # for so few, more take longer
    index = (
        FAISS.IndexHNSWCagra(DIMENSION, 8)
        if kind == "CAGRA"
        else faiss.index_factory(DIMENSION, kind)
    )
    index.train(STORED)
    if "IDMap" in kind:
        index.add_with_ids(STORED, 10_000 + 3 * np.arange(len(STORED)))
    else:
        index.add(STORED)
    return index, faiss.serialize_index(index).tobytes()


def _written(folder: Path, whole: bytes | bytearray) -> Path:
    path = folder / "some.index"
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
    assert found.layout.unsupported == ""
    assert (found.layout.vectors, found.layout.dimension) == (300, DIMENSION)
    distances, given = StoredIndex(found.read()).search(QUERIES, 8)

    inside: Any = faiss.downcast_index(index.index) if "IDMap" in kind else index
    expected, labels, known = inside.search_and_reconstruct(QUERIES, 8)
    there = labels >= 0
    np.testing.assert_array_equal(np.isfinite(distances), there)
    assert_close(given[there], known[there], rounding(DIMENSION))
    assert_close(distances[there], expected[there], rounding(DIMENSION))


# ---- types that are not read --------------------------------------------------------------------


def _typed(line: str, *names: Path) -> None:
    """Runs the code of a line to type, with other files."""
    code = shlex.split(line[line.index(" -c ") :], posix=True)[1]
    before, sys.argv = sys.argv, ["-c", *map(str, names)]
    try:
        exec(code, {})
    finally:
        sys.argv = before


@pytest.mark.parametrize("kind", CONVERTIBLE)
def test_other_types_are_named_and_convert(tmp_path: Path, kind: str) -> None:
    found = _located(tmp_path, _made(kind)[1])
    assert found.layout.unsupported.startswith("Index")
    assert found.layout.gives_vectors
    _typed(converting_line(found.path), found.path, tmp_path / "new.index")
    made = locate(tmp_path / "new.index")
    assert made is not None
    assert (str(made.layout), made.layout.vectors) == ("IndexIVFFlat", 300)
    _, given = StoredIndex(made.read(), 64).search(STORED, 4)
    nearest = np.linalg.norm(given - STORED[:, None], axis=2).min(1)
    assert nearest.mean() < 0.8 * np.linalg.norm(STORED, axis=1).mean()


def test_identifiers_with_gaps_convert_to_what_can_be_had(tmp_path: Path) -> None:
    """FAISS gives no vector back for an identifier that is missing, and says nothing."""
    index = faiss.index_factory(DIMENSION, "IVF4,Flat", faiss.METRIC_INNER_PRODUCT)
    index.train(STORED)
    index.add_with_ids(STORED, 2 * np.arange(len(STORED)))
    path = _written(tmp_path, faiss.serialize_index(index).tobytes())
    _typed(converting_line(path), path, tmp_path / "new.index")
    made = locate(tmp_path / "new.index")
    assert made is not None
    assert made.layout.vectors == 150
    distances, _ = StoredIndex(made.read(), 64).search(STORED[:150].copy(), 1)
    assert distances.max() < 1e-6


def test_a_converted_file_of_another_type_converts(tmp_path: Path) -> None:
    path = tmp_path / "alice.safetensors"
    save_file({"index": torch.frombuffer(bytearray(_made("SQ8")[1]), dtype=torch.uint8)}, path)
    _typed(converting_line(path), path, tmp_path / "new.index")
    made = locate(tmp_path / "new.index")
    assert made is not None
    assert made.layout.unsupported == ""


@pytest.mark.parametrize("kind", REBUILT)
def test_types_without_vectors_are_named(tmp_path: Path, kind: str) -> None:
    layout = _located(tmp_path, _made(kind)[1]).layout
    assert layout.unsupported.startswith("Index")
    assert not layout.gives_vectors


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("HNSW8_SQ8", "IndexHNSWSQ"),
        ("IVF8,Flat,RFlat", "IndexRefine"),
        ("IDMap,HNSW8", "IndexIDMap over IndexHNSWFlat"),
        ("IMI2x2,PQ4x4", "IndexIVFPQ over MultiIndexQuantizer"),
        ("OPQ4_16,IVF8,PQ4x4fs", "IndexPreTransform over IndexIVFPQFastScan"),
        ("ITQ8,Flat", "IndexPreTransform by ITQTransform"),
        ("IVF8,SQ0", "IndexIVFScalarQuantizer with a scalar quantizer of 0 bits"),
        ("FlatL2Panorama4", "IndexFlatL2Panorama"),
        ("ZnLattice4x10_4", "IndexLattice"),
    ],
)
def test_the_part_that_is_not_read_is_named(tmp_path: Path, kind: str, name: str) -> None:
    layout = _located(tmp_path, _made(kind)[1]).layout
    assert layout.unsupported.startswith(name)
    assert (layout.vectors, layout.dimension) == (300, DIMENSION)


def test_a_binary_index_is_named(tmp_path: Path) -> None:
    index = FAISS.IndexBinaryFlat(64)
    index.add(np.zeros((5, 8), np.uint8))
    layout = _located(tmp_path, FAISS.serialize_index_binary(index).tobytes()).layout
    assert (layout.unsupported, layout.gives_vectors) == ("IndexBinaryFlat", False)


def test_an_old_format_is_named(tmp_path: Path) -> None:
    layout = _located(tmp_path, b"IvFl" + _made("IVF8,Flat")[1][4:]).layout
    assert (layout.unsupported, layout.gives_vectors) == ("IndexIVFFlat in an old format", True)


def test_lists_in_another_file_are_refused(tmp_path: Path) -> None:
    layout = _located(tmp_path, _made("IVF8,Flat")[1].replace(b"ilar", b"ilod")).layout
    assert layout.unsupported == "IndexIVFFlat with its vectors in another file"
    assert not layout.gives_vectors


# ---- a vector with NaN -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["IVF8,Flat", "OPQ4_16,IVF8,SQ8", "IDMap,IVF8,Flat"])
def test_an_index_that_counts_a_lost_vector_is_mended(tmp_path: Path, kind: str) -> None:
    """FAISS counts a vector with NaN, and puts it into no list (faiss#2723)."""
    index: Any = faiss.index_factory(DIMENSION, kind)
    index.train(STORED)
    broken = STORED.copy()
    broken[7, 3] = np.nan
    index.add_with_ids(broken, np.arange(300)) if "IDMap" in kind else index.add(broken)
    path = _written(tmp_path, faiss.serialize_index(index).tobytes())
    with pytest.raises(WeightsError) as caught:
        locate(path)
    (problem,) = caught.value.problems
    assert problem.message == (
        f"{path}: a retrieval index, but its lists hold 299 vectors where 300 belong: a vector "
        "with NaN is in no list"
    )
    assert problem.fix is not None
    assert problem.fix == recounting_line(path)
    _typed(problem.fix, path, tmp_path / "new.index")
    made = locate(tmp_path / "new.index")
    assert made is not None
    assert made.layout.vectors == 299
    distances, _ = StoredIndex(made.read(), 8).search(QUERIES, 8)
    assert np.isfinite(distances).all()


@pytest.mark.skipif(os.name == "nt", reason="the line is quoted for a POSIX shell here")
def test_the_line_works_where_it_is_typed(tmp_path: Path) -> None:
    broken = STORED.copy()
    broken[7, 3] = np.nan
    folder = tmp_path / "my voices"
    folder.mkdir()
    faiss.write_index(with_lists(broken, 4), str(folder / "it's $HOME.index"))
    with pytest.raises(WeightsError) as caught:
        locate(folder / "it's $HOME.index")
    fix = caught.value.problems[0].fix
    assert fix is not None
    line = fix[fix.index(": ") + 2 :]
    subprocess.run(["/bin/sh", "-c", line], check=True, timeout=60)
    assert locate(folder / "it's $HOME_ivf.index") is not None


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
    """A folder for what is written again and again; what is imported at first use has been."""
    folder = tmp_path_factory.mktemp("scratch")
    for kind in KINDS:
        whole = _made(kind)[1]
        locate(_written(folder, whole))
        with contextlib.suppress(WeightsError):
            locate(_written(folder, whole[:-1]))
    return folder


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


def test_lists_that_faiss_would_make_are_in_proportion(tmp_path: Path) -> None:
    whole = _made("IVF8,Flat")[1]
    path = _written(tmp_path, whole[:37] + struct.pack("<Q", 1 << 24) + whole[45:])
    with pytest.raises(WeightsError, match=r"its lists would take 2.15 GB of memory, far more"):
        locate(path)


@pytest.mark.parametrize(
    ("kind", "code", "offset", "layout", "value", "message"),
    [
        (
            "IVF8,SQ8",
            b"IxF2",
            33 + 8 + 8 * 64 + 1 + 8,
            "i",
            2,
            "32 ranges of values where 2 belong",
        ),
        ("IVF8,SQ8", b"ilar", -13, "Q", 17, "it has 17 bytes a vector where 16 belong"),
        ("IVF8,PQ4x4", b"ilar", 8, "Q", 3, "8 lists with 3 bytes a vector where 8 with 2 belong"),
        ("IVF8_HNSW4,Flat", b"IxF2", -24, "i", 8, "graph of neighbours does not hold together"),
        ("IVF8_HNSW4,Flat", b"IxF2", -12, "i", 1 << 24, "graph of neighbours does not hold"),
        ("IDMap,Flat", b"IxMp", 4, "q", 299, "the IndexFlatL2 in it holds 300 vectors of 16"),
        ("OPQ4_16,Flat", b"LTra", 1, "Q", 255, "values of a bias|does not fit itself|would take"),
        ("OPQ4_16,Flat", b"IxPT", 33, "i", 2, "IndexPreTransform by 'IxF2'"),
    ],
)
def test_parts_fit_each_other(
    tmp_path: Path, kind: str, code: bytes, offset: int, layout: str, value: int, message: str
) -> None:
    broken = bytearray(_made(kind)[1])
    struct.pack_into(f"<{layout}", broken, broken.rindex(code) + 4 + offset, value)
    path = _written(tmp_path, broken)
    try:
        found = locate(path)
    except WeightsError as error:
        text = str(error)
    else:
        text = found.layout.unsupported if found else ""
    assert any(part in text for part in message.split("|")), text


def test_a_graph_of_many_levels_takes_no_time(tmp_path: Path) -> None:
    whole = _made("IVF8_HNSW4,Flat")[1]
    start = whole.index(b"IHNf") + 4 + 33
    (count,) = struct.unpack_from("<Q", whole, start)
    at = start + 8 + 8 * count
    (sizes,) = struct.unpack_from("<Q", whole, at)
    levels = 1 << 22
    held = whole[at + 8 : at + 8 + 4 * sizes]
    more = struct.pack("<Q", levels) + held + held[-4:] * (levels - sizes)
    rest = bytearray(whole[at + 8 + 4 * sizes :])
    struct.pack_into("<i", rest, 8, levels - 1)
    with pytest.raises(WeightsError, match="graph of neighbours"):
        locate(_written(tmp_path, whole[:at] + more + bytes(rest)))
