"""Scalar, product, RaBitQ and EDEN quantizers in a FAISS file."""

from __future__ import annotations

from typing import NamedTuple

from ._cursor import MalformedError
from ._index_layout import LayoutBuilder, Unsupported, UnsupportedIndexError

_SCALAR_BITS = (8, 4, 8, 4, 16, 8, 6, 16, 8, 0, 1, 2, 3, 4, 8, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7, 8)
"""Bits of a value, by FAISS's number of the scalar type. Of these,"""
_RANGE_EACH, _RANGE = (0, 1, 6), (2, 3)
"""some store a minimum and a maximum, for each dimension or for all,"""
_LEVELS, _LEVELS_AND_NORM = (*range(10, 15), *range(19, 27)), range(15, 19)
"""some store the levels of a value and the boundaries between them; or the levels alone, twice, and
a norm with each vector,"""
_NORM_BYTES = 8
_NOTHING = 9
"""and one stores nothing of a vector."""
_MOST_BITS = 16
"""Largest number of bits in a part of a product quantizer: FAISS encodes up to 16."""


def scalar_quantizer(builder: LayoutBuilder) -> int:
    """Skips a scalar quantizer, and returns the bytes of an encoded vector."""
    kind, _, _, dimension, width = builder.cursor.take("iifQQ")
    if not 0 <= kind < len(_SCALAR_BITS):
        raise UnsupportedIndexError(
            Unsupported(f"scalar quantizer of type {kind}, which is not known here")
        )
    if kind == _NOTHING:
        raise UnsupportedIndexError(
            Unsupported("scalar quantizer of 0 bits, which keeps nothing of a vector")
        )
    bits = _SCALAR_BITS[kind]
    expected = (dimension * bits + 7) // 8 + (_NORM_BYTES if kind in _LEVELS_AND_NORM else 0)
    if dimension != builder.dimension or width != expected:
        raise MalformedError(
            f"its scalar quantizer has {width} bytes for {dimension} dimensions, which does not "
            f"fit vectors of {builder.dimension}"
        )
    values = {
        **dict.fromkeys(_RANGE_EACH, 2 * dimension),
        **dict.fromkeys(_RANGE, 2),
        **dict.fromkeys(_LEVELS, (2 << bits) - 1),
        **dict.fromkeys(_LEVELS_AND_NORM, (1 << bits) + 2),
    }
    builder.cursor.skip_array(
        4, "ranges of values", values.get(kind, 0) if builder.trained else None
    )
    return width


class Product(NamedTuple):
    """A product quantizer: ``parts`` of a vector, ``bits`` each, in ``width`` bytes together."""

    width: int
    parts: int
    bits: int


def product_quantizer(builder: LayoutBuilder) -> Product:
    """Skips a product quantizer, and returns its sizes."""
    dimension, parts, bits = builder.cursor.take("QQQ")
    if dimension != builder.dimension or not 1 <= parts <= dimension or dimension % parts:
        raise MalformedError(
            f"its product quantizer has {parts} parts of {dimension} dimensions, which does not "
            f"fit vectors of {builder.dimension}"
        )
    if not 1 <= bits <= _MOST_BITS:
        raise MalformedError(f"its product quantizer has {bits} bits a part")
    builder.cursor.skip_array(4, "values of centroids", dimension << bits)
    return Product((parts * bits + 7) // 8, parts, bits)


def rabit_quantizer(builder: LayoutBuilder, counted: bool) -> int:
    """Skips a RaBitQ quantizer, and returns the bytes of an encoded vector.

    A vector consists of the signs of its values and two floats; with more bits a value, one float
    more, then the further bits and two floats.

    Args:
        builder: an index whose quantizer follows.
        counted: whether it states the bits of a value; otherwise 1.
    """
    dimension, width, metric = builder.cursor.take("QQi")
    (bits,) = builder.cursor.take("Q") if counted else (1,)
    expected = (dimension + 7) // 8 + 8
    if bits > 1:
        expected += 4 + (dimension * (bits - 1) + 7) // 8 + 8
    _fit(builder, "RaBitQ", dimension, metric, width == expected and 1 <= bits <= 9)
    return width


def eden_quantizer(builder: LayoutBuilder) -> int:
    """Skips an EDEN quantizer, and returns the bytes of a vector: its values and two floats."""
    dimension, width, metric, bits, scale = builder.cursor.take("QQiQi")
    sound = width == (dimension * bits + 7) // 8 + 8 and 1 <= bits <= 8 and scale in (0, 1)
    _fit(builder, "EDEN", dimension, metric, sound)
    return width


def _fit(builder: LayoutBuilder, name: str, dimension: int, metric: int, sound: bool) -> None:
    if dimension != builder.dimension or metric != builder.metric or not sound:
        raise MalformedError(
            f"its {name} quantizer, of {dimension} dimensions, does not fit itself or vectors of "
            f"{builder.dimension}"
        )
