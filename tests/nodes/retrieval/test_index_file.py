"""FAISS indexes as files."""

from __future__ import annotations

import functools
import struct
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from voicegraph.graph.files.models import WeightsError, identify, open_archive
from voicegraph.nodes.retrieval._faiss_example import vectors, with_lists
from voicegraph.nodes.retrieval.index_file import KIND, locate
from voicegraph.nodes.retrieval.index_search import StoredIndex
from voicegraph.schemas.card import METADATA_KEY
from voicegraph.schemas.index_card import IndexCard

REFERENCE = Path(__file__).parents[2] / "data" / "reference"


def _card(path: Path) -> IndexCard:
    found = identify(path)
    assert found.kind is KIND
    assert isinstance(found.card, IndexCard)
    return found.card


def test_card_of_an_index_trained_by_rvc() -> None:
    assert _card(REFERENCE / "retrieval.index") == IndexCard(
        title="retrieval",
        source="retrieval.index",
        type="IndexIVFFlat",
        state="filled",
        dimension=768,
        vectors=512,
        trained=True,
        metric="squared L2",
        lists=16,
        probes=1,
    )


def test_card_distinguishes_trained_from_filled(build) -> None:
    states = {state: _card(build("IVF8,Flat", state=state)) for state in ("trained", "untrained")}
    assert states["trained"].state == "trained but empty"
    assert (states["trained"].trained, states["trained"].vectors) == (True, 0)
    assert states["untrained"].state == "untrained"
    assert not states["untrained"].trained
    assert all("it holds no vectors" in card.unusable for card in states.values())


@pytest.mark.parametrize(
    ("kind", "name", "lists"),
    [
        ("Flat", "IndexFlatL2", None),
        ("IVF8_HNSW4,SQ8", "IndexIVFScalarQuantizer", 8),
        ("IDMap,PCA8,IVF8,Flat", "IndexIDMap(IndexPreTransform(IndexIVFFlat))", 8),
        ("HNSW8", "IndexHNSWFlat", None),  # of types that are not read, the header alone
        ("IVF8,RaBitQfs", "IndexIVFRaBitQFastScan", None),
    ],
)
def test_type_names_the_inner_indexes(build, kind: str, name: str, lists) -> None:
    card = _card(build(kind, probes=3 if lists else None))
    assert (card.type, card.lists, card.probes) == (name, lists, 3 if lists else None)
    assert (card.vectors, card.dimension) == (300, 16)


def test_unusable_types_are_reported(build) -> None:
    assert _card(build("IVF8,Flat")).unusable == ""
    assert _card(build("IVF8,FlatDedup")).unusable == (
        "retrieval does not take IndexIVFFlatDedup; `check` says how to convert it"
    )
    assert _card(build("IVF8,Flat", metric=faiss.METRIC_INNER_PRODUCT)).unusable == (
        "it compares by inner product, retrieval by squared L2; `check` says how to convert it"
    )


def test_inner_product_is_reported(build) -> None:
    assert _card(build("IVF8,Flat", metric=faiss.METRIC_INNER_PRODUCT)).metric == "inner product"


def test_sparse_lists_are_read(tmp_path: Path) -> None:
    stored = vectors(100, 16)
    index = with_lists(stored, 64)
    index.reset()
    index.add(stored[:3])
    path = tmp_path / "sparse.index"
    faiss.write_index(index, str(path))
    assert b"sprs" in path.read_bytes()
    assert _card(path).vectors == 3


def test_other_files_are_of_another_kind(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "voice.safetensors")
    archive = open_archive(tmp_path / "voice.safetensors")
    assert KIND.card(archive.path, archive) is None
    (tmp_path / "text.index").write_text("nothing of the sort")
    assert KIND.card(tmp_path / "text.index", None) is None


# ---- converted ------------------------------------------------------------------------------


def _converted(path: Path) -> Path:
    tensors, card = KIND.convert(path, None)
    target = path.with_suffix(".safetensors")
    save_file(tensors, target, {METADATA_KEY: card.model_dump_json()})
    return target


def test_converted_index_holds_the_same_bytes(build) -> None:
    original = build("IVF8,Flat")
    converted = _converted(original)
    found = locate(converted)
    assert found is not None
    assert found.read().data.tobytes() == original.read_bytes()
    assert _card(converted) == _card(original)
    queries = vectors(20, 16, seed=5)
    expected = StoredIndex(_located(original).read()).search(queries, 8)
    for a, b in zip(StoredIndex(found.read()).search(queries, 8), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_converting_again_changes_nothing(build) -> None:
    converted = _converted(build("Flat"))
    tensors, card = KIND.convert(converted, open_archive(converted))
    assert tensors["index"].numpy().tobytes() == _located(converted).read().data.tobytes()
    assert card == _card(converted)


def test_stated_title_and_licence_are_kept(build) -> None:
    tensors, card = KIND.convert(build("Flat", "a.index"), None)
    told = card.model_copy(update={"title": "Alice", "licence": "CC BY 4.0", "vectors": 7})
    path = build("Flat", "b.index").with_suffix(".safetensors")
    save_file(tensors, path, {METADATA_KEY: told.model_dump_json()})
    found = _card(path)
    assert (found.title, found.licence, found.vectors) == ("Alice", "CC BY 4.0", 300)
    assert found.remarks == ("its card states vectors 7; its tensors show 300",)


def test_card_without_its_index_is_damaged(tmp_path: Path, build) -> None:
    _, card = KIND.convert(build("Flat"), None)
    path = tmp_path / "bare.safetensors"
    save_file({"else": torch.zeros(3)}, path, {METADATA_KEY: card.model_dump_json()})
    with pytest.raises(WeightsError, match="the bytes that its card describes are not in it"):
        locate(path)


# ---- damaged and hostile ----------------------------------------------------------------------


def _located(path: Path):
    found = locate(path)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is written again and again."""
    return tmp_path_factory.mktemp("scratch")


@given(st.data())
def test_every_truncation_is_detected(scratch: Path, data) -> None:
    whole = _serialised()
    path = scratch / "cut.index"
    path.write_bytes(whole[: data.draw(st.integers(4, len(whole) - 1))])
    with pytest.raises(WeightsError, match=r"it ends too early|belong"):
        locate(path)


@given(st.data())
def test_changed_header_bytes_never_crash(scratch: Path, data) -> None:
    """Any value in any place of what comes before the vectors: refused, or it can be searched."""
    broken = bytearray(_serialised())
    header = 200
    for _ in range(data.draw(st.integers(1, 3))):
        width = data.draw(st.sampled_from([1, 4, 8]))
        place = data.draw(st.integers(0, header - width))
        value = data.draw(st.integers(0, 256**width - 1))
        broken[place : place + width] = value.to_bytes(width, "little")
    path = scratch / "flip.index"
    path.write_bytes(broken)
    try:
        found = locate(path)
        if found and found.layout.vectors and found.layout.trained and not found.layout.unsupported:
            StoredIndex(found.read()).search(np.ones((3, found.layout.dimension), np.float32), 4)
    except WeightsError as error:
        refused = str(error)
    else:
        return
    assert str(path) in refused


@functools.cache
def _serialised() -> bytes:
    return faiss.serialize_index(with_lists(vectors(40, 16), 4)).tobytes()


def _place(whole: bytes, code: bytes) -> int:
    """Where what follows one of FAISS's four characters begins."""
    return whole.index(code) + 4


HEADER = struct.Struct("<iqqqBi")


@pytest.mark.parametrize(
    ("code", "offset", "value", "message"),
    [
        (b"IwFl", 0, struct.pack("<i", -5), "its vectors have -5 dimensions"),
        (b"IwFl", 0, struct.pack("<i", 1 << 30), "its vectors have 1073741824 dimensions"),
        (b"IwFl", 4, struct.pack("<q", -1), "the numbers in its header make no sense"),
        (b"IwFl", 4, struct.pack("<q", 39), "its lists hold 40 vectors where 39 belong"),
        (b"IwFl", 29, struct.pack("<i", 9), "make no sense"),
        (b"IwFl", 33, struct.pack("<Q", 5), "4 centres of 16 dimensions where 5 of 16 belong"),
        (b"IxF2", 4, struct.pack("<q", 1 << 40), "64 values of vectors where 17592186044416"),
        (b"IxF2", 33, struct.pack("<Q", 1 << 60), "its values of vectors would take 4.61e"),
        (b"ilar", 0, struct.pack("<Q", 1 << 50), "has 1125899906842624 lists with 64 bytes"),
        (b"ilar", 8, struct.pack("<Q", 1), "4 lists with 1 bytes a vector where 4 with 64 belong"),
        (b"full", 0, struct.pack("<Q", 1 << 61), "its sizes of lists would take 1.84e"),
        (b"full", 8, struct.pack("<QQ", 1 << 63, 1 << 63), "its lists hold 18446744073709"),
    ],
)
def test_claimed_sizes_are_checked(
    tmp_path: Path, code: bytes, offset: int, value: bytes, message: str
) -> None:
    broken = bytearray(_serialised())
    place = _place(bytes(broken), code) + offset
    broken[place : place + len(value)] = value
    path = tmp_path / "hostile.index"
    path.write_bytes(broken)
    with pytest.raises(WeightsError, match=message) as caught:
        locate(path)
    assert caught.value.problems[0].code == "damaged-file"
    assert caught.value.problems[0].fix == "download or copy the file again"


def test_indexes_inside_indexes_are_refused(tmp_path: Path) -> None:
    header = HEADER.pack(4, 0, 0, 0, 1, 1)
    path = tmp_path / "nested.index"
    path.write_bytes((b"IxPT" + header + struct.pack("<i", 0)) * 2000)
    assert _located(path).layout.unsupported == "IndexPreTransform over IndexPreTransform"
