"""Types of FAISS index without inverted lists: readers of what follows the header."""

from __future__ import annotations

from . import _quantizers as quantizers
from ._additive_quantizers import BY_TYPE, residual_quantizer
from ._cursor import MalformedError
from ._fast_scan import additive_layout, check_blocks, check_parts, check_search, stored_blocks
from ._index_layout import L2, LayoutBuilder, Unsupported, UnsupportedIndexError
from ._transforms import transform


def flat(builder: LayoutBuilder) -> None:
    """Uncompressed vectors."""
    builder.cursor.skip_array(4, "values of vectors", builder.vectors * builder.dimension)


def panorama_header(builder: LayoutBuilder) -> None:
    """The header of a Panorama index, which differs from that of other types."""
    dimension, levels, batch, vectors, trained = builder.cursor.take("iQQqB")
    builder.set_header(dimension, vectors, trained, L2)
    builder.check_levels(levels, batch)


def panorama(builder: LayoutBuilder) -> None:
    """Vectors split into levels, in batches, and the norms of the remainder at each level."""
    stored = -(-builder.vectors // builder.batch) * builder.batch
    builder.cursor.skip_array(1, "bytes of vectors", stored * builder.dimension * 4)
    builder.cursor.skip_array(4, "norms of vectors", stored * (builder.levels + 1))


def scalar(builder: LayoutBuilder) -> None:
    """Scalar quantization."""
    builder.codes(quantizers.scalar_quantizer(builder))


def product(builder: LayoutBuilder) -> None:
    """Product quantization."""
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
    """Additive quantization."""
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
    """RaBitQ: a few bits a value, relative to a centre."""
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
    """EDEN: a few bits a value, relative to a centre."""
    builder.codes(quantizers.eden_quantizer(builder))
    builder.centre()


def lsh(builder: LayoutBuilder) -> None:
    """Locality-sensitive hashing: the signs of the values, optionally after a rotation."""
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
    """All combinations of the centroids of a product quantizer; the file contains none of them."""
    found = quantizers.product_quantizer(builder)
    _check_made(builder, found.parts * found.bits)


def residual_coarse(builder: LayoutBuilder) -> None:
    """All sums of codebook entries of a residual quantizer; the file contains none of them."""
    found = residual_quantizer(builder)
    (beam,) = builder.cursor.take("f")
    if not beam <= 1000:
        raise MalformedError(f"its residual quantizer looks at {beam:g} sums at once")
    _check_made(builder, sum(found.bits))
    # FAISS computes the norms of all sums, and the products of all pairs of codebook entries.
    builder.check_memory(4 * builder.vectors + 4 * found.entries**2, "tables")


def _check_made(builder: LayoutBuilder, bits: int) -> None:
    if builder.vectors and builder.vectors != 1 << bits:
        raise MalformedError(f"it holds {builder.vectors} vectors where {1 << bits} belong")
