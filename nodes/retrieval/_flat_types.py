"""The types of FAISS index that hold their vectors in one row: what follows their headers."""

from __future__ import annotations

from . import _quantizers as quantizers
from ._additive_quantizers import BY_TYPE, residual_quantizer
from ._cursor import MalformedError
from ._fast_scan import additive_layout, check_blocks, check_parts, check_search, stored_blocks
from ._index_layout import L2, LayoutBuilder, Unsupported, UnsupportedIndexError
from ._transforms import transform


def flat(builder: LayoutBuilder) -> None:
    """Vectors as they are."""
    builder.cursor.skip_array(4, "values of vectors", builder.vectors * builder.dimension)


def panorama_header(builder: LayoutBuilder) -> None:
    """The header of vectors that are cut into levels, which is their own."""
    dimension, levels, batch, vectors, trained = builder.cursor.take("iQQqB")
    builder.set_header(dimension, vectors, trained, L2)
    builder.check_levels(levels, batch)


def panorama(builder: LayoutBuilder) -> None:
    """Vectors that are cut into levels, in batches, and the norms of what is left at each."""
    stored = -(-builder.vectors // builder.batch) * builder.batch
    builder.cursor.skip_array(1, "bytes of vectors", stored * builder.dimension * 4)
    builder.cursor.skip_array(4, "norms of vectors", stored * (builder.levels + 1))


def scalar(builder: LayoutBuilder) -> None:
    """Vectors whose values are rounded."""
    builder.codes(quantizers.scalar_quantizer(builder))


def product(builder: LayoutBuilder) -> None:
    """Vectors in parts, each one of the centroids of its part."""
    builder.codes(quantizers.product_quantizer(builder).width)
    search, _, _ = builder.cursor.take("iBi")
    if search != 0:
        raise UnsupportedIndexError(Unsupported("IndexPQ that compares bits instead of distances"))


def product_blocks(builder: LayoutBuilder) -> None:
    """The same, in blocks."""
    found = quantizers.product_quantizer(builder)
    way, block, lots, stored, parts = builder.cursor.take("iiiQQ")
    check_search(way, lots)
    check_parts(found.bits)
    check_blocks(builder, found.width, block, parts)
    stored_blocks(builder, stored, block, found.width)


def additive(builder: LayoutBuilder) -> None:
    """Vectors as sums of entries of codebooks."""
    found = BY_TYPE[builder.code](builder)
    (width,) = builder.cursor.take("Q")
    if width != found.width:
        raise MalformedError(f"it has {width} bytes a vector where {found.width} belong")
    builder.codes(width)


def additive_blocks(builder: LayoutBuilder) -> None:
    """The same, in blocks."""
    found = BY_TYPE[builder.code](builder)
    block, stored = additive_layout(builder, found)
    stored_blocks(builder, stored, block, found.width)


def rabit(builder: LayoutBuilder) -> None:
    """Vectors of a few bits a value, around a centre."""
    builder.codes(quantizers.rabit_quantizer(builder, builder.code == "Ixrr"))
    builder.centre()
    builder.cursor.take("B")


def rabit_blocks(builder: LayoutBuilder) -> None:
    """The same, in blocks."""
    width = quantizers.rabit_quantizer(builder, True)
    builder.centre()
    _, block, stored, parts, found = builder.cursor.take("BiQQQ")
    if found != width:
        raise MalformedError(f"it has {found} bytes a vector where {width} belong")
    check_blocks(builder, (builder.dimension + 7) // 8, block, parts)
    stored_blocks(builder, stored, block, width)


def eden(builder: LayoutBuilder) -> None:
    """Vectors of a few bits a value, around a centre, in another way."""
    builder.codes(quantizers.eden_quantizer(builder))
    builder.centre()


def lsh(builder: LayoutBuilder) -> None:
    """Vectors as the signs of their values, or of these turned round."""
    bits, turned, shifted = builder.cursor.take("iBB")
    shifts = builder.cursor.skip_array(4, "thresholds")
    (width,) = builder.cursor.take("i")
    turns = transform(builder.cursor)
    if (
        bits < 1
        or (bits > builder.dimension and not turned)
        or width != (bits + 7) // 8
        or turns != (builder.dimension, bits)
        or (builder.trained and shifted and shifts != bits)
    ):
        raise MalformedError(f"its {bits} bits a vector do not fit {builder.dimension} dimensions")
    if bits < builder.dimension and not turned:
        text = f"IndexLSH of {bits} of {builder.dimension} dimensions, which gives back no others"
        raise UnsupportedIndexError(Unsupported(text))
    builder.codes(width)


def multi_index(builder: LayoutBuilder) -> None:
    """All vectors that the centroids of a product quantizer make up; none is in the file."""
    found = quantizers.product_quantizer(builder)
    _check_made(builder, found.parts * found.bits)


def residual_coarse(builder: LayoutBuilder) -> None:
    """All sums that the codebooks of a residual quantizer make up; none is in the file."""
    found = residual_quantizer(builder)
    (beam,) = builder.cursor.take("f")
    if not beam <= 1000:
        raise MalformedError(f"its residual quantizer looks at {beam:g} sums at once")
    _check_made(builder, sum(found.bits))
    # FAISS works out the norms of all sums, and how any two entries of codebooks go together.
    builder.check_memory(4 * builder.vectors + 4 * found.entries**2, "tables")


def _check_made(builder: LayoutBuilder, bits: int) -> None:
    if builder.vectors and builder.vectors != 1 << bits:
        raise MalformedError(f"it holds {builder.vectors} vectors where {1 << bits} belong")
