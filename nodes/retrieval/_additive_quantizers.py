"""Additive quantizers in a FAISS file: a vector is a sum of codebook entries.

Residual quantizers, local search quantizers, and products of either, in which each part encodes its
own slice of the vector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ._cursor import MalformedError
from ._index_layout import LayoutBuilder

_NORM_BITS = (0, 0, 0, 32, 8, 4, 8, 4, 8, 8)
"""Bits of a vector's stored norm, by FAISS's number of the search type."""
_NORM_VALUES = {6: 256, 7: 16, 8: 256, 9: 256}
"""Number of quantized norms, if they were trained,"""
_NORM_TABLES = {8: 32, 9: 32}
"""and number of values, of which two with 4 bits each add up to one norm."""
_MOST_BITS = 16
_WIDEST_BEAM = 1 << 20
_RESIDUAL = "ii"
_LOCAL_SEARCH = "QQQQQffQiQB"
"""Fields of each kind for training and encoding, as formats of ``struct``."""


@dataclass(frozen=True, slots=True)
class Additive:
    """An additive quantizer.

    Attributes:
        width: bytes of an encoded vector.
        bits: bits of each codebook.
        norm_bits: bits of the norm in an encoded vector.
        values: number of values of all codebooks.
    """

    width: int
    bits: tuple[int, ...]
    norm_bits: int
    values: int

    @property
    def entries(self) -> int:
        """Number of entries of all codebooks."""
        return sum(1 << bits for bits in self.bits)


def residual_quantizer(builder: LayoutBuilder, dimension: int | None = None) -> Additive:
    """Passes over a residual quantizer of ``dimension`` values, None for those of the index."""
    found = _additive(builder, dimension or builder.dimension)
    _, beam = builder.cursor.take(_RESIDUAL)
    if not 1 <= beam <= _WIDEST_BEAM:
        raise MalformedError(f"its residual quantizer looks at {beam} sums at once")
    return _whole(builder, found, dimension or builder.dimension)


def local_search_quantizer(builder: LayoutBuilder, dimension: int | None = None) -> Additive:
    """Passes over a local search quantizer of ``dimension`` values, None for those of the index."""
    found = _additive(builder, dimension or builder.dimension)
    builder.cursor.take(_LOCAL_SEARCH)
    return _whole(builder, found, dimension or builder.dimension)


def product_residual_quantizer(builder: LayoutBuilder) -> Additive:
    """Passes over a product of residual quantizers."""
    return _product(builder, residual_quantizer)


def product_local_search_quantizer(builder: LayoutBuilder) -> Additive:
    """Passes over a product of local search quantizers."""
    return _product(builder, local_search_quantizer)


def _product(builder: LayoutBuilder, part: Callable[[LayoutBuilder, int], Additive]) -> Additive:
    found = _additive(builder, builder.dimension)
    (count,) = builder.cursor.take("Q")
    if not 1 <= count <= builder.dimension or builder.dimension % count:
        raise MalformedError(f"its additive quantizer has {count} parts")
    dimension = builder.dimension // count
    bits = [bits for _ in range(count) for bits in part(builder, dimension).bits]
    if tuple(bits) != found.bits:
        raise MalformedError("the parts of its additive quantizer do not add up to it")
    return _whole(builder, found, dimension)


def _additive(builder: LayoutBuilder, dimension: int) -> Additive:
    """The common beginning of all additive quantizers."""
    cursor = builder.cursor
    wide, count = cursor.take("QQ")
    bits = cursor.array("<u8", "bits of codebooks")
    cursor.take("B")
    values = cursor.skip_array(4, "values of codebooks")
    (search,) = cursor.take("iff")[:1]
    if wide != dimension or not 1 <= count == len(bits) or not 0 <= search < len(_NORM_BITS):
        raise MalformedError(
            f"its additive quantizer, of {wide} dimensions, does not fit itself or vectors of "
            f"{dimension}"
        )
    if not ((bits >= 1) & (bits <= _MOST_BITS)).all():
        raise MalformedError(f"its additive quantizer has codebooks of {bits.max()} bits")
    trained = builder.trained
    if search in _NORM_VALUES:
        cursor.skip_array(4, "values of norms", _NORM_VALUES[search] if trained else None)
    if search in _NORM_TABLES:
        cursor.skip_array(4, "values of norms", _NORM_TABLES[search] if trained else None)
    norm = _NORM_BITS[search]
    return Additive((int(bits.sum()) + norm + 7) // 8, tuple(bits.tolist()), norm, values)


def _whole(builder: LayoutBuilder, found: Additive, dimension: int) -> Additive:
    """Checks that the codebooks have ``dimension`` values for each entry."""
    if builder.trained and found.values != found.entries * dimension:
        raise MalformedError(
            f"its additive quantizer has {found.values} values of codebooks where "
            f"{found.entries * dimension} belong"
        )
    return found


BY_TYPE: dict[str, Callable[[LayoutBuilder], Additive]] = {
    **dict.fromkeys(("IxRq", "IRfs", "IwRQ", "IVRf"), residual_quantizer),
    **dict.fromkeys(("IxLS", "ILfs", "IwLS", "IVLf"), local_search_quantizer),
    **dict.fromkeys(("IxPR", "IPRf", "IwPR", "NPRf"), product_residual_quantizer),
    **dict.fromkeys(("IxPL", "IPLf", "IwPL", "NPLf"), product_local_search_quantizer),
}
"""Type code of an index -> reader of its quantizer."""
