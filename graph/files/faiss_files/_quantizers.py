"""Scalar and product quantizers and linear transforms in a FAISS file."""

from __future__ import annotations

from ._cursor import Cursor, MalformedError
from .layout import Layout, UnsupportedError

_SCALAR_BITS = (8, 4, 8, 4, 16, 8, 6, 16, 8)
"""Bits of a value, by FAISS's number of the scalar type. Of these,"""
_RANGE_EACH, _RANGE = (0, 1, 6), (2, 3)
"""some store a minimum and a maximum, for each dimension or for all."""
_SCALAR_NAMES = {9: "of 0 bits, which keeps nothing of a vector"}
_MOST_BITS = 16
"""Largest number of bits in a part of a product quantizer: FAISS encodes up to 16."""


def scalar_quantizer(cursor: Cursor, head: Layout) -> int:
    """Skips a scalar quantizer, and returns the bytes of an encoded vector."""
    kind, _, _, dimension, width = cursor.take("iifQQ")
    if not 0 <= kind < len(_SCALAR_BITS):
        what = _SCALAR_NAMES.get(kind, f"of type {kind}")
        raise UnsupportedError(f"{head.name} with a scalar quantizer {what}", kind != 9)
    if dimension != head.dimension or width != (dimension * _SCALAR_BITS[kind] + 7) // 8:
        raise MalformedError(
            f"its scalar quantizer has {width} bytes for {dimension} dimensions, which does not "
            f"fit vectors of {head.dimension}"
        )
    values = 2 * dimension if kind in _RANGE_EACH else 2 if kind in _RANGE else 0
    cursor.skip_array(4, "ranges of values", values if head.trained else None)
    return width


def product_quantizer(cursor: Cursor, head: Layout) -> int:
    """Skips a product quantizer, and returns the bytes of an encoded vector."""
    dimension, parts, bits = cursor.take("QQQ")
    if dimension != head.dimension or not 1 <= parts <= dimension or dimension % parts:
        raise MalformedError(
            f"its product quantizer has {parts} parts of {dimension} dimensions, which does not "
            f"fit vectors of {head.dimension}"
        )
    if not 1 <= bits <= _MOST_BITS:
        raise MalformedError(f"its product quantizer has {bits} bits a part")
    cursor.skip_array(4, "values of centroids", dimension << bits)
    return (parts * bits + 7) // 8


def skip_transform(cursor: Cursor) -> tuple[int, int]:
    """Skips a linear transform (OPQ, rotation, PCA), and returns its input and output dimension."""
    code = cursor.code()
    if code in ("PcAm", "Pcam"):
        cursor.take("fBi" if code == "PcAm" else "ffBi")
        for what in ("mean", "eigenvalues", "principal components"):
            cursor.skip_array(4, f"values of {what}")
    elif code not in ("LTra", "rrot"):
        name = {"VNrm": "NormalizationTransform", "Viqm": "ITQMatrix", "Viqt": "ITQTransform"}
        text = f"IndexPreTransform by {name.get(code, repr(code))}"
        raise UnsupportedError(text, code not in name)
    (biased,) = cursor.take("B")
    matrix = cursor.skip_array(4, "values of a matrix")
    bias = cursor.skip_array(4, "values of a bias")
    wide_in, wide_out, trained = cursor.take("iiB")
    sound = wide_in > 0 < wide_out and matrix == wide_in * wide_out
    if trained and not (sound and (not biased or bias == wide_out)):
        raise MalformedError(f"what turns its vectors does not fit itself ({code})")
    return wide_in, wide_out
