"""Types of FAISS index with inverted lists: readers of what follows the header."""

from __future__ import annotations

from . import _quantizers as quantizers
from ._additive_quantizers import BY_TYPE
from ._cursor import MalformedError
from ._fast_scan import additive_layout, check_blocks, check_parts, check_search
from ._index_layout import LayoutBuilder
from ._inverted_lists import inverted, lists_of_blocks, lists_of_levels, lists_of_vectors


def flat(builder: LayoutBuilder) -> None:
    """Uncompressed vectors."""
    inverted(builder)
    lists_of_vectors(builder, builder.dimension * 4)


def panorama(builder: LayoutBuilder) -> None:
    """Vectors split into levels (Panorama)."""
    inverted(builder)
    builder.check_levels(*builder.cursor.take("QQ"))
    lists_of_levels(builder, builder.dimension * 4)


def scalar(builder: LayoutBuilder) -> None:
    """Scalar quantization."""
    inverted(builder)
    width = quantizers.scalar_quantizer(builder)
    builder.cursor.take("Q" if builder.code == "IwSQ" else "QB")
    lists_of_vectors(builder, width)


def product(builder: LayoutBuilder) -> None:
    """Product quantization; in IwQR with a second, refining quantizer."""
    inverted(builder)
    builder.ids_are_positions |= builder.code == "IwQR"
    builder.cursor.take("BQ")
    lists_of_vectors(builder, quantizers.product_quantizer(builder).width)
    if builder.code == "IwQR" and builder.trained:
        builder.codes(quantizers.product_quantizer(builder).width)
        builder.cursor.take("f")


def product_blocks(builder: LayoutBuilder) -> None:
    """The same, in blocks."""
    inverted(builder)
    _, _, block, parts, way, queries = builder.cursor.take("BQiQiQ")
    found = quantizers.product_quantizer(builder)
    check_search(way, 0, queries)
    check_parts(found.bits)
    check_blocks(builder, found.width, block, parts)
    builder.check_memory(
        (builder.lists or 0) * (found.parts << found.bits) * 4, "tables"
    )  # FAISS makes them
    lists_of_blocks(builder, found.width, block)


def additive(builder: LayoutBuilder) -> None:
    """Additive quantization."""
    inverted(builder)
    (width,) = builder.cursor.take("Q")
    found = BY_TYPE[builder.code](builder)
    builder.cursor.take("Bi")
    _check_width(width, found.width)
    lists_of_vectors(builder, width)


def additive_blocks(builder: LayoutBuilder) -> None:
    """The same, in blocks."""
    inverted(builder)
    found = BY_TYPE[builder.code](builder)
    builder.cursor.take("B")
    block, queries = additive_layout(builder, found)
    check_search(0, 0, queries)
    lists_of_blocks(builder, found.width, block)


def rabit(builder: LayoutBuilder) -> None:
    """RaBitQ: a few bits a value."""
    inverted(builder)
    width = quantizers.rabit_quantizer(builder, builder.code == "Iwrr")
    found, _, _ = builder.cursor.take("QBB")
    _check_width(found, width)
    lists_of_vectors(builder, width)


def eden(builder: LayoutBuilder) -> None:
    """EDEN: a few bits a value."""
    inverted(builder)
    width = quantizers.eden_quantizer(builder)
    found, _ = builder.cursor.take("QB")
    _check_width(found, width)
    lists_of_vectors(builder, width)


def _check_width(found: int, expected: int) -> None:
    if found != expected:
        raise MalformedError(f"it has {found} bytes a vector where {expected} belong")
