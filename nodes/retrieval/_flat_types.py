"""The types of FAISS index that hold their vectors in one row: what follows their headers."""

from __future__ import annotations

from . import _quantizers as quantizers
from ._additive_quantizers import BY_TYPE, residual_quantizer
from ._cursor import MalformedError
from ._fast_scan import additive_layout, check_blocks, check_parts, check_search, stored_blocks
from ._index_layout import L2, Draft, Strange, StrangeError
from ._transforms import transform


def flat(draft: Draft) -> None:
    """Vectors as they are."""
    draft.cursor.skip_array(4, "values of vectors", draft.vectors * draft.dimension)


def panorama_header(draft: Draft) -> None:
    """The header of vectors that are cut into levels, which is their own."""
    dimension, levels, batch, vectors, trained = draft.cursor.take("iQQqB")
    draft.takes(dimension, vectors, trained, L2)
    draft.check_levels(levels, batch)


def panorama(draft: Draft) -> None:
    """Vectors that are cut into levels, in batches, and the norms of what is left at each."""
    stored = -(-draft.vectors // draft.batch) * draft.batch
    draft.cursor.skip_array(1, "bytes of vectors", stored * draft.dimension * 4)
    draft.cursor.skip_array(4, "norms of vectors", stored * (draft.levels + 1))


def scalar(draft: Draft) -> None:
    """Vectors whose values are rounded."""
    draft.codes(quantizers.scalar_quantizer(draft))


def product(draft: Draft) -> None:
    """Vectors in parts, each one of the centroids of its part."""
    draft.codes(quantizers.product_quantizer(draft).width)
    search, _, _ = draft.cursor.take("iBi")
    if search != 0:
        raise StrangeError(Strange("IndexPQ that compares bits instead of distances"))


def product_blocks(draft: Draft) -> None:
    """The same, in blocks."""
    found = quantizers.product_quantizer(draft)
    way, block, lots, stored, parts = draft.cursor.take("iiiQQ")
    check_search(way, lots)
    check_parts(found.bits)
    check_blocks(draft, found.width, block, parts)
    stored_blocks(draft, stored, block, found.width)


def additive(draft: Draft) -> None:
    """Vectors as sums of entries of codebooks."""
    found = BY_TYPE[draft.code](draft)
    (width,) = draft.cursor.take("Q")
    if width != found.width:
        raise MalformedError(f"it has {width} bytes a vector where {found.width} belong")
    draft.codes(width)


def additive_blocks(draft: Draft) -> None:
    """The same, in blocks."""
    found = BY_TYPE[draft.code](draft)
    block, stored = additive_layout(draft, found)
    stored_blocks(draft, stored, block, found.width)


def rabit(draft: Draft) -> None:
    """Vectors of a few bits a value, around a centre."""
    draft.codes(quantizers.rabit_quantizer(draft, draft.code == "Ixrr"))
    draft.centre()
    draft.cursor.take("B")


def rabit_blocks(draft: Draft) -> None:
    """The same, in blocks."""
    width = quantizers.rabit_quantizer(draft, True)
    draft.centre()
    _, block, stored, parts, found = draft.cursor.take("BiQQQ")
    if found != width:
        raise MalformedError(f"it has {found} bytes a vector where {width} belong")
    check_blocks(draft, (draft.dimension + 7) // 8, block, parts)
    stored_blocks(draft, stored, block, width)


def eden(draft: Draft) -> None:
    """Vectors of a few bits a value, around a centre, in another way."""
    draft.codes(quantizers.eden_quantizer(draft))
    draft.centre()


def hashed(draft: Draft) -> None:
    """Vectors as the signs of their values, or of these turned round."""
    bits, turned, shifted = draft.cursor.take("iBB")
    shifts = draft.cursor.skip_array(4, "thresholds")
    (width,) = draft.cursor.take("i")
    turns = transform(draft.cursor)
    if (
        bits < 1
        or (bits > draft.dimension and not turned)
        or width != (bits + 7) // 8
        or turns != (draft.dimension, bits)
        or (draft.trained and shifted and shifts != bits)
    ):
        raise MalformedError(f"its {bits} bits a vector do not fit {draft.dimension} dimensions")
    if bits < draft.dimension and not turned:
        text = f"IndexLSH of {bits} of {draft.dimension} dimensions, which gives back no others"
        raise StrangeError(Strange(text))
    draft.codes(width)


def multi_index(draft: Draft) -> None:
    """All vectors that the centroids of a product quantizer make up; none is in the file."""
    found = quantizers.product_quantizer(draft)
    _check_made(draft, found.parts * found.bits)


def residual_coarse(draft: Draft) -> None:
    """All sums that the codebooks of a residual quantizer make up; none is in the file."""
    found = residual_quantizer(draft)
    (beam,) = draft.cursor.take("f")
    if not beam <= 1000:
        raise MalformedError(f"its residual quantizer looks at {beam:g} sums at once")
    _check_made(draft, sum(found.bits))
    # FAISS works out the norms of all sums, and how any two entries of codebooks go together.
    draft.fits(4 * draft.vectors + 4 * found.entries**2, "tables")


def _check_made(draft: Draft, bits: int) -> None:
    if draft.vectors and draft.vectors != 1 << bits:
        raise MalformedError(f"it holds {draft.vectors} vectors where {1 << bits} belong")
