"""The types of FAISS index that sort their vectors into lists: what follows their headers."""

from __future__ import annotations

from . import _quantizers as quantizers
from ._additive_quantizers import BY_TYPE
from ._cursor import MalformedError
from ._fast_scan import additive_layout, check_blocks, check_parts, check_search
from ._index_layout import Draft
from ._inverted_lists import inverted, lists_of_blocks, lists_of_levels, lists_of_vectors


def flat(draft: Draft) -> None:
    """Vectors as they are."""
    inverted(draft)
    lists_of_vectors(draft, draft.dimension * 4)


def panorama(draft: Draft) -> None:
    """Vectors that are cut into levels."""
    inverted(draft)
    draft.check_levels(*draft.cursor.take("QQ"))
    lists_of_levels(draft, draft.dimension * 4)


def scalar(draft: Draft) -> None:
    """Vectors whose values are rounded."""
    inverted(draft)
    width = quantizers.scalar_quantizer(draft)
    draft.cursor.take("Q" if draft.code == "IwSQ" else "QB")
    lists_of_vectors(draft, width)


def product(draft: Draft) -> None:
    """Vectors in parts, each one of the centroids of its part; in IwQR, twice."""
    inverted(draft)
    draft.placed |= draft.code == "IwQR"
    draft.cursor.take("BQ")
    lists_of_vectors(draft, quantizers.product_quantizer(draft).width)
    if draft.code == "IwQR" and draft.trained:
        draft.codes(quantizers.product_quantizer(draft).width)
        draft.cursor.take("f")


def product_blocks(draft: Draft) -> None:
    """The same, in blocks."""
    inverted(draft)
    _, _, block, parts, way, queries = draft.cursor.take("BQiQiQ")
    found = quantizers.product_quantizer(draft)
    check_search(way, 0, queries)
    check_parts(found.bits)
    check_blocks(draft, found.width, block, parts)
    draft.fits((draft.lists or 0) * (found.parts << found.bits) * 4, "tables")  # FAISS makes them
    lists_of_blocks(draft, found.width, block)


def additive(draft: Draft) -> None:
    """Vectors as sums of entries of codebooks."""
    inverted(draft)
    (width,) = draft.cursor.take("Q")
    found = BY_TYPE[draft.code](draft)
    draft.cursor.take("Bi")
    _check_width(width, found.width)
    lists_of_vectors(draft, width)


def additive_blocks(draft: Draft) -> None:
    """The same, in blocks."""
    inverted(draft)
    found = BY_TYPE[draft.code](draft)
    draft.cursor.take("B")
    block, queries = additive_layout(draft, found)
    check_search(0, 0, queries)
    lists_of_blocks(draft, found.width, block)


def rabit(draft: Draft) -> None:
    """Vectors of a few bits a value."""
    inverted(draft)
    width = quantizers.rabit_quantizer(draft, draft.code == "Iwrr")
    found, _, _ = draft.cursor.take("QBB")
    _check_width(found, width)
    lists_of_vectors(draft, width)


def eden(draft: Draft) -> None:
    """Vectors of a few bits a value, in another way."""
    inverted(draft)
    width = quantizers.eden_quantizer(draft)
    found, _ = draft.cursor.take("QB")
    _check_width(found, width)
    lists_of_vectors(draft, width)


def _check_width(found: int, expected: int) -> None:
    if found != expected:
        raise MalformedError(f"it has {found} bytes a vector where {expected} belong")
