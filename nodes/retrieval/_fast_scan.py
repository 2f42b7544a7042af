"""FAISS's FastScan: vectors with 4 bits a part, stored in blocks."""

from __future__ import annotations

from ._additive_quantizers import Additive
from ._cursor import MalformedError
from ._index_layout import LayoutBuilder, Unsupported, UnsupportedIndexError

_BITS = 4
_STEP, _LARGEST = 32, 1 << 16
"""Vectors in a block: a multiple of the first, at most the second. From blocks of more than the
first, FAISS 1.15 reconstructs wrong vectors."""
_WAYS = (0, *range(10, 16))
_MOST_QUERIES = 31
_FIX = f"use the voice's added_*.index, or build it in blocks of {_STEP}, which is FAISS's default"


def check_blocks(builder: LayoutBuilder, width: int, block: int, parts: int) -> None:
    """Checks the sizes of blocks of vectors of ``width`` bytes.

    Args:
        builder: the index.
        width: bytes of a vector, two parts in each.
        block: vectors in a block.
        parts: number of parts, rounded up to an even number.
    """
    if block % _STEP or not _STEP <= block <= _LARGEST or parts != 2 * width:
        raise MalformedError(f"its blocks of {block} vectors of {parts} parts do not hold together")
    if block != _STEP:
        text = f"{builder.name} in blocks of {block}, from which FAISS gives wrong vectors back"
        raise UnsupportedIndexError(Unsupported(text, _FIX))


def check_parts(*bits: int) -> None:
    """Checks that all parts have 4 bits."""
    if set(bits) != {_BITS}:
        raise MalformedError("its blocks hold vectors of other than 4 bits a part")


def check_search(way: int, lots: int = 0, queries: int = 0) -> None:
    """Checks the search settings.

    Args:
        way: FAISS's number of the implementation; 0, as in the others, lets FAISS choose.
        lots: sizes of the groups of queries, one hexadecimal digit for each.
        queries: queries in a group, with inverted lists.
    """
    sound = lots == 0 or (lots > 0 and set(f"{lots:x}") <= set("1234"))
    if not sound or way not in _WAYS or queries > _MOST_QUERIES:
        raise MalformedError("the way in which it says to search it makes no sense")


def stored_blocks(builder: LayoutBuilder, stored: int, block: int, width: int) -> None:
    """Skips blocks of ``stored`` vectors, including the padding of the last block."""
    if stored != -(-builder.vectors // block) * block:
        raise MalformedError(
            f"it has room for {stored} vectors where {builder.vectors} are in blocks"
        )
    builder.cursor.skip_array(1, "bytes of vectors", stored * width)


def additive_layout(builder: LayoutBuilder, found: Additive) -> tuple[int, int]:
    """Reads the block layout of an additive quantizer's vectors, which follows the quantizer.

    Returns:
        Vectors in a block, and a number that depends on the kind of index: the capacity in vectors
        or, with inverted lists, the queries in a group.
    """
    way, block, lots, parts, bits, entries, width = builder.cursor.take("iiiQQQQ")
    number, even, *_ = builder.cursor.take("QQBiQ")
    check_search(way, lots)
    check_parts(bits, *found.bits)
    check_blocks(builder, found.width, block, even)
    norm = found.norm_bits // _BITS
    if (parts, entries, width) != (len(found.bits) + norm, 1 << _BITS, found.width):
        raise MalformedError(f"its blocks have {parts} parts, which does not fit its quantizer")
    return block, number
