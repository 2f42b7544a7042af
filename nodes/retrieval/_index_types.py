"""The types of FAISS index that can hold content features, and a check of their whole files.

FAISS trusts the sizes that a file declares, at least in earlier versions. Here they are compared
with each other and with the size of the file before FAISS reads it. Vectors are skipped, not read.
"""

from __future__ import annotations

from collections.abc import Callable

from . import _flat_types as flat_types
from . import _inverted_types as inverted_types
from . import _nesting_types as nesting_types
from ._cursor import Cursor, MalformedError
from ._index_layout import Layout, LayoutBuilder, Unsupported, UnsupportedIndexError

_DEEPEST = 8
"""Largest nesting depth; usual indexes have at most three."""
_PANORAMA = "IxFP"
"""The only type with a header of its own,"""
_AHEAD = {"IxLa": "iiii"}
"""and fields before the header of another type."""


def begins_index(magic: bytes) -> bool:
    """Whether a file that begins with these four bytes may be a FAISS index of vectors."""
    code = magic[:4].decode("latin-1")
    return code in _TYPES or code in _UNSUPPORTED


def read_layout(cursor: Cursor) -> Layout:
    """Reads the structure of the index at the cursor.

    Raises:
        MalformedError: if it is inconsistent, or declares more data than there is.
    """
    return _read(cursor, 0, False)


def _read(cursor: Cursor, depth: int, ids_are_positions: bool) -> Layout:
    code = cursor.code()
    if code not in _TYPES and code not in _UNSUPPORTED:
        what = "an index inside it" if depth else "it"
        raise MalformedError(f"{what} begins with {code!r}, which is no index of FAISS's")
    if depth > _DEEPEST:
        raise MalformedError(f"it holds indexes inside indexes, more than {_DEEPEST} deep")
    name, read = _TYPES.get(code) or (_UNSUPPORTED[code][0], None)
    if read is None and depth:
        raise UnsupportedIndexError(_unsupported(code))

    def nested(inside: bool) -> Layout:
        return _read(cursor, depth + 1, inside)

    builder = LayoutBuilder(cursor, code, name, nested, ids_are_positions)
    if code == _PANORAMA:
        flat_types.panorama_header(builder)
    else:
        cursor.take(_AHEAD.get(code, ""))
        builder.read_header()
    if read is None:
        return builder.layout(_unsupported(code))
    try:
        read(builder)
    except UnsupportedIndexError as error:
        if depth:
            raise
        return builder.layout(error.unsupported)
    return builder.layout()


def _unsupported(code: str) -> Unsupported:
    name, why, *fix = _UNSUPPORTED[code]
    return Unsupported(f"{name}{why}", *fix)


_TYPES: dict[str, tuple[str, Callable[[LayoutBuilder], None]]] = {
    "IxF2": ("IndexFlatL2", flat_types.flat),
    "IxFI": ("IndexFlatIP", flat_types.flat),
    "IxFl": ("IndexFlat", flat_types.flat),
    "IxFP": ("IndexFlatL2Panorama", flat_types.panorama),
    "IxSQ": ("IndexScalarQuantizer", flat_types.scalar),
    "IxPq": ("IndexPQ", flat_types.product),
    "IPfs": ("IndexPQFastScan", flat_types.product_blocks),
    "IxRq": ("IndexResidualQuantizer", flat_types.additive),
    "IxLS": ("IndexLocalSearchQuantizer", flat_types.additive),
    "IxPR": ("IndexProductResidualQuantizer", flat_types.additive),
    "IxPL": ("IndexProductLocalSearchQuantizer", flat_types.additive),
    "IRfs": ("IndexResidualQuantizerFastScan", flat_types.additive_blocks),
    "ILfs": ("IndexLocalSearchQuantizerFastScan", flat_types.additive_blocks),
    "IPRf": ("IndexProductResidualQuantizerFastScan", flat_types.additive_blocks),
    "IPLf": ("IndexProductLocalSearchQuantizerFastScan", flat_types.additive_blocks),
    "Ixrq": ("IndexRaBitQ", flat_types.rabit),
    "Ixrr": ("IndexRaBitQ", flat_types.rabit),
    "Irfn": ("IndexRaBitQFastScan", flat_types.rabit_blocks),
    "IxEe": ("IndexEDEN", flat_types.eden),
    "IxHe": ("IndexLSH", flat_types.lsh),
    "IHNf": ("IndexHNSWFlat", nesting_types.hnsw),
    "IHNs": ("IndexHNSWSQ", nesting_types.hnsw),
    "IHNp": ("IndexHNSWPQ", nesting_types.hnsw),
    "IHNr": ("IndexHNSWRaBitQ", nesting_types.hnsw_rabit),
    "IHfP": ("IndexHNSWFlatPanorama", nesting_types.hnsw_panorama),
    "IHc2": ("IndexHNSWCagra", nesting_types.cagra),
    "INSf": ("IndexNSGFlat", nesting_types.nsg),
    "INSs": ("IndexNSGSQ", nesting_types.nsg),
    "INSp": ("IndexNSGPQ", nesting_types.nsg),
    "INNf": ("IndexNNDescentFlat", nesting_types.descent),
    "IwFl": ("IndexIVFFlat", inverted_types.flat),
    "IwP2": ("IndexIVFFlatPanorama", inverted_types.panorama),
    "IwSQ": ("IndexIVFScalarQuantizer", inverted_types.scalar),
    "IwSq": ("IndexIVFScalarQuantizer", inverted_types.scalar),
    "IwPQ": ("IndexIVFPQ", inverted_types.product),
    "IwQR": ("IndexIVFPQR", inverted_types.product),
    "IwPf": ("IndexIVFPQFastScan", inverted_types.product_blocks),
    "IwRQ": ("IndexIVFResidualQuantizer", inverted_types.additive),
    "IwLS": ("IndexIVFLocalSearchQuantizer", inverted_types.additive),
    "IwPR": ("IndexIVFProductResidualQuantizer", inverted_types.additive),
    "IwPL": ("IndexIVFProductLocalSearchQuantizer", inverted_types.additive),
    "IVRf": ("IndexIVFResidualQuantizerFastScan", inverted_types.additive_blocks),
    "IVLf": ("IndexIVFLocalSearchQuantizerFastScan", inverted_types.additive_blocks),
    "NPRf": ("IndexIVFProductResidualQuantizerFastScan", inverted_types.additive_blocks),
    "NPLf": ("IndexIVFProductLocalSearchQuantizerFastScan", inverted_types.additive_blocks),
    "Iwrq": ("IndexIVFRaBitQ", inverted_types.rabit),
    "Iwrr": ("IndexIVFRaBitQ", inverted_types.rabit),
    "IwEe": ("IndexIVFEDEN", inverted_types.eden),
    "Imiq": ("MultiIndexQuantizer", flat_types.multi_index),
    "ImRQ": ("ResidualCoarseQuantizer", flat_types.residual_coarse),
    "IxMp": ("IndexIDMap", nesting_types.id_map),
    "IxM2": ("IndexIDMap2", nesting_types.id_map),
    "IxPT": ("IndexPreTransform", nesting_types.pre_transform),
    "IxRF": ("IndexRefine", nesting_types.refine),
}
"""Type code -> FAISS's name, and the reader of what follows the header."""

_NO_VECTORS = ", from which FAISS cannot give vectors back"
_OLD = " of an old FAISS"
_ANEW = "let FAISS write it anew: faiss.write_index(faiss.read_index(OLD), NEW)"

_UNSUPPORTED: dict[str, tuple[str, ...]] = {
    "Ix2L": ("Index2Layer", ", which FAISS cannot search"),
    "IHN2": ("IndexHNSW2Level", ", whose parts are not checked here"),
    "IRMf": ("IndexRowwiseMinMax", ", which FAISS cannot search"),
    "IRMh": ("IndexRowwiseMinMaxFP16", ", which FAISS cannot search"),
    "IxLa": ("IndexLattice", ", whose vectors FAISS does not write to the file"),
    "IwFd": ("IndexIVFFlatDedup", _NO_VECTORS),
    "IwSh": ("IndexIVFSpectralHash", _NO_VECTORS),
    "IwIQ": ("IndexIVFIndependentQuantizer", _NO_VECTORS),
    "Iwrn": ("IndexIVFRaBitQFastScan", ", from which FAISS gives wrong vectors back"),
    "IxRP": ("IndexRefinePanorama", ", whose distances FAISS gets wrong"),
    "IxHE": ("IndexLSH", _OLD, _ANEW),
    "IxPQ": ("IndexPQ", _OLD, _ANEW),
    "IxPo": ("IndexPQ", _OLD, _ANEW),
    "IxRQ": ("IndexResidualQuantizer", _OLD, _ANEW),
    "Irfs": ("IndexRaBitQFastScan", _OLD, _ANEW),
    "IHNc": ("IndexHNSWCagra", _OLD, _ANEW),
    "IvFl": ("IndexIVFFlat", _OLD, _ANEW),
    "IvFL": ("IndexIVFFlat", _OLD, _ANEW),
    "IvSQ": ("IndexIVFScalarQuantizer", _OLD, _ANEW),
    "IvPQ": ("IndexIVFPQ", _OLD, _ANEW),
    "IvQR": ("IndexIVFPQR", _OLD, _ANEW),
    "IwPn": ("IndexIVFFlatPanorama", _OLD, _ANEW),
    "Iwrf": ("IndexIVFRaBitQFastScan", _OLD, _ANEW),
}
"""Unsupported types, of which only the header is read: FAISS's name, the reason, and what to do."""
