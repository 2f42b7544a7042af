"""The types of FAISS index that can hold content features: each followed through its whole file.

FAISS takes the sizes that a file declares on trust, or did in earlier versions. Here they are held
against one another and against the bytes that are there, before FAISS sees any of them. Vectors are
passed over, not read.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .cursor import Cursor, MalformedError
from .layout import Draft, Layout, StrangeError
from .quantizers import hnsw_graph, product_quantizer, scalar_quantizer, transform

_DEEPEST = 8
"""Indexes inside indexes; what people build has three."""
_MOST_REFINED = 1000
"""Candidates for each vector that is asked for; FAISS takes memory for all of them."""


def begins_index(magic: bytes) -> bool:
    """Whether what begins with these four bytes may be a FAISS index of vectors."""
    code = magic[:4].decode("latin-1")
    return code in _TYPES or code in _STRANGE


def read_layout(cursor: Cursor) -> Layout:
    """Follows the index at the cursor.

    Raises:
        MalformedError: if it does not hold together, or declares more than there is.
    """
    return _read(cursor, 0, False)


def _read(cursor: Cursor, depth: int, placed: bool) -> Layout:
    code = cursor.code()
    if code not in _TYPES and code not in _STRANGE:
        what = "an index inside it" if depth else "it"
        raise MalformedError(f"{what} begins with {code!r}, which is no index of FAISS's")
    if depth > _DEEPEST:
        raise MalformedError(f"it holds indexes inside indexes, more than {_DEEPEST} deep")
    name, read = _TYPES.get(code, (_STRANGE.get(code, ""), None))
    if read is None and depth:
        raise StrangeError(name)
    draft = Draft(cursor, code, lambda inside: _read(cursor, depth + 1, inside), placed)
    draft.read_header()
    if read is None:
        return draft.layout(name, strange=name)
    try:
        read(draft)
    except StrangeError as error:
        if depth:
            raise
        return draft.layout(name, strange=str(error))
    return draft.layout(name)


def _flat(draft: Draft) -> None:
    draft.cursor.skip_array(4, "values of vectors", draft.vectors * draft.dimension)


def _scalar(draft: Draft) -> None:
    draft.codes(scalar_quantizer(draft))


def _product(draft: Draft) -> None:
    draft.codes(product_quantizer(draft))
    search, _, _ = draft.cursor.take("iBi")
    if search != 0:
        raise StrangeError("IndexPQ that compares bits instead of distances")


def _graph(draft: Draft) -> None:
    hnsw_graph(draft)
    draft.holds(draft.nested(True))


def _mapped(draft: Draft) -> None:
    if draft.placed:
        raise StrangeError(f"{_TYPES[draft.code][0]} inside another index")
    draft.holds(draft.nested(False))
    draft.cursor.skip_array(8, "identifiers", draft.vectors)


def _turned(draft: Draft) -> None:
    (steps,) = draft.cursor.take("i")
    width = draft.dimension
    for _ in range(steps):
        wide_in, wide_out = transform(draft.cursor)
        if wide_in != width:
            raise MalformedError(f"it turns vectors of {wide_in} dimensions where {width} come")
        width = wide_out
    draft.holds(draft.nested(draft.placed), width)


def _refined(draft: Draft) -> None:
    draft.holds(draft.nested(True))
    draft.holds(draft.nested(True))
    (more,) = draft.cursor.take("f")
    if not 1 <= more <= _MOST_REFINED:
        raise MalformedError(f"it looks at {more:g} times as many vectors as it is asked for")


def _inverted_flat(draft: Draft) -> None:
    _inverted(draft)
    _lists(draft, draft.dimension * 4)


def _inverted_scalar(draft: Draft) -> None:
    _inverted(draft)
    width = scalar_quantizer(draft)
    draft.cursor.take("Q" if draft.code == "IwSQ" else "QB")
    _lists(draft, width)


def _inverted_product(draft: Draft) -> None:
    _inverted(draft)
    draft.placed |= draft.code == "IwQR"
    draft.cursor.take("BQ")
    _lists(draft, product_quantizer(draft))
    if draft.code == "IwQR" and draft.trained:
        draft.codes(product_quantizer(draft))
        draft.cursor.take("f")


def _inverted(draft: Draft) -> None:
    """What all indexes with inverted lists begin with."""
    draft.lists, draft.probes = draft.cursor.take("QQ")
    coarse = draft.nested(True)
    if coarse.dimension != draft.dimension or (draft.trained and coarse.vectors != draft.lists):
        raise MalformedError(
            f"the {coarse.name} that sorts its vectors has {coarse.vectors} centres of "
            f"{coarse.dimension} dimensions where {draft.lists} of {draft.dimension} belong"
        )
    (form,) = draft.cursor.take("B")
    draft.cursor.skip_array(8, "places of vectors")
    if form == 2:
        draft.cursor.skip_array(16, "places of identifiers")


def _lists(draft: Draft, width: int) -> None:
    """Inverted lists: vectors of ``width`` bytes and their identifiers."""
    code = draft.cursor.code()
    if code == "ilod":
        raise StrangeError(f"{_TYPES[draft.code][0]} with its vectors in another file")
    if code == "il00":
        raise MalformedError("it was saved without its vectors")
    if code != "ilar":
        raise StrangeError(f"{_TYPES[draft.code][0]} with lists of the form {code!r}")
    count, found = draft.cursor.take("QQ")
    if (count, found) != (draft.lists, width):
        raise MalformedError(
            f"it has {count} lists with {found} bytes a vector where {draft.lists} with {width} "
            "belong"
        )
    sizes = _sizes(draft)
    total = sum(sizes)
    if total != draft.vectors:
        raise MalformedError(f"its lists hold {total} vectors where {draft.vectors} belong")
    if not draft.placed:
        draft.cursor.skip(total * (width + 8), "vectors")
        return
    for size in sizes:
        draft.cursor.skip(size * width, "vectors")
        places = np.array(draft.cursor.take(f"{size}q"), np.int64)
        if ((places < 0) | (places >= total)).any():
            raise MalformedError(f"it has an identifier beyond its {total} vectors")


def _sizes(draft: Draft) -> list[int]:
    """How many vectors each list holds, in order; as Python's integers their sum cannot wrap."""
    form = draft.cursor.code()
    sizes = draft.cursor.array("<u8", "sizes of lists")
    if form == "full" and len(sizes) == draft.lists:
        return sizes.tolist()
    if form == "sprs" and len(sizes) % 2 == 0 and (sizes[::2] < draft.lists).all():
        held = dict(zip(sizes[::2].tolist(), sizes[1::2].tolist(), strict=True))
        if 2 * len(held) == len(sizes):
            return [held[place] for place in sorted(held)]
    raise MalformedError("the sizes of its lists make no sense")


_TYPES: dict[str, tuple[str, Callable[[Draft], None]]] = {
    "IxF2": ("IndexFlatL2", _flat),
    "IxFI": ("IndexFlatIP", _flat),
    "IxFl": ("IndexFlat", _flat),
    "IxSQ": ("IndexScalarQuantizer", _scalar),
    "IxPq": ("IndexPQ", _product),
    "IHNf": ("IndexHNSWFlat", _graph),
    "IHNs": ("IndexHNSWSQ", _graph),
    "IHNp": ("IndexHNSWPQ", _graph),
    "IwFl": ("IndexIVFFlat", _inverted_flat),
    "IwSQ": ("IndexIVFScalarQuantizer", _inverted_scalar),
    "IwSq": ("IndexIVFScalarQuantizer", _inverted_scalar),
    "IwPQ": ("IndexIVFPQ", _inverted_product),
    "IwQR": ("IndexIVFPQR", _inverted_product),
    "IxMp": ("IndexIDMap", _mapped),
    "IxM2": ("IndexIDMap2", _mapped),
    "IxPT": ("IndexPreTransform", _turned),
    "IxRF": ("IndexRefine", _refined),
}
"""Four characters -> FAISS's name, and what follows the header."""

_STRANGE = {
    "IxHe": "IndexLSH",
    "IxRq": "IndexResidualQuantizer",
    "IxLS": "IndexLocalSearchQuantizer",
    "IxPR": "IndexProductResidualQuantizer",
    "IxPL": "IndexProductLocalSearchQuantizer",
    "ImRQ": "ResidualCoarseQuantizer",
    "Imiq": "MultiIndexQuantizer",
    "Ix2L": "Index2Layer",
    "IPfs": "IndexPQFastScan",
    "INSf": "IndexNSGFlat",
    "INSp": "IndexNSGPQ",
    "INSs": "IndexNSGSQ",
    "INNf": "IndexNNDescentFlat",
    "Ixrq": "IndexRaBitQ",
    "IvFl": "IndexIVFFlat of an old FAISS",
    "IvFL": "IndexIVFFlat of an old FAISS",
    "IvSQ": "IndexIVFScalarQuantizer of an old FAISS",
    "IvPQ": "IndexIVFPQ of an old FAISS",
    "IvQR": "IndexIVFPQR of an old FAISS",
    "IxPQ": "IndexPQ of an old FAISS",
    "IxPo": "IndexPQ of an old FAISS",
    "IwFd": "IndexIVFFlatDedup",
    "IwP2": "IndexIVFFlatPanorama",
    "IwPf": "IndexIVFPQFastScan",
    "IwRQ": "IndexIVFResidualQuantizer",
    "IwLS": "IndexIVFLocalSearchQuantizer",
    "IwPR": "IndexIVFProductResidualQuantizer",
    "IwPL": "IndexIVFProductLocalSearchQuantizer",
    "IwSh": "IndexIVFSpectralHash",
    "Iwrq": "IndexIVFRaBitQ",
}
"""Other types, known by their header alone: some cannot give vectors back, nobody uses the rest."""
