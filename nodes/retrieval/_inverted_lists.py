"""Inverted lists in a FAISS file: the common part of all indexes that have them."""

from __future__ import annotations

import numpy as np

from ._cursor import MalformedError
from ._index_layout import LayoutBuilder, Unsupported, UnsupportedIndexError

_LIST_BYTES = 128
"""Memory of FAISS for an empty list in bytes."""
_BLOCKED = (1 << 64) - 1
"""The value in place of the vector size if vectors are in blocks."""


def inverted(builder: LayoutBuilder) -> None:
    """Reads the common beginning of all indexes with inverted lists."""
    count, builder.probes = builder.cursor.take("QQ")
    builder.lists = count
    builder.check_memory(count * _LIST_BYTES, "lists")
    coarse = builder.nested(True)
    if coarse.dimension != builder.dimension or (
        builder.trained and coarse.vectors != builder.lists
    ):
        raise MalformedError(
            f"the {coarse.name} that sorts its vectors has {coarse.vectors} centres of "
            f"{coarse.dimension} dimensions where {builder.lists} of {builder.dimension} belong"
        )
    (form,) = builder.cursor.take("B")
    links = builder.cursor.array("<u8", "places of vectors")
    if form == 2:
        pairs = builder.cursor.count(16, "places of identifiers")
        links = np.append(links, builder.cursor.values("<u8", 2 * pairs)[1::2])
    builder.links = links


def lists_of_vectors(builder: LayoutBuilder, width: int) -> None:
    """Skips inverted lists: vectors of ``width`` bytes and their identifiers."""
    code = _form(builder)
    if code != "ilar":
        raise _unknown(builder, code)
    count, found = builder.cursor.take("QQ")
    _check_width(builder, (count, found), width)
    sizes = _sizes(builder)
    if not builder.ids_are_positions:
        builder.cursor.skip(sum(sizes) * (width + 8), "vectors")
        return
    for size in sizes:
        builder.cursor.skip(size * width, "vectors")
        _identifiers(builder, size)


def lists_of_blocks(builder: LayoutBuilder, width: int, block: int) -> None:
    """Skips inverted lists with blocks of ``block`` vectors."""
    code = _form(builder)
    if code != "ilbl":
        raise _unknown(builder, code)
    count, found, each, nbytes = builder.cursor.take("QQQQ")
    if found != _BLOCKED or each != block or nbytes % block:
        raise MalformedError(f"its lists have blocks of {each} vectors where {block} belong")
    _check_width(builder, (count, nbytes // block), width)
    sizes = []
    for _ in range(count):
        size = builder.cursor.count(8, "identifiers of vectors")
        _identifiers(builder, size)
        sizes.append(size)
        builder.cursor.skip_array(1, "bytes of vectors", -(-size // block) * nbytes)
    _check_sizes(builder, sizes)


def lists_of_levels(builder: LayoutBuilder, width: int) -> None:
    """Skips inverted lists of a Panorama index."""
    code = _form(builder)
    if code != "ilp2":
        raise _unknown(builder, code)
    count, found, levels, batch = builder.cursor.take("QQQQ")
    if (levels, batch) != (builder.levels, builder.batch):
        raise MalformedError(f"its lists have {levels} levels where {builder.levels} belong")
    _check_width(builder, (count, found), width)
    for size in _sizes(builder):
        if size:
            stored = -(-size // batch) * batch
            builder.cursor.skip(stored * width, "vectors")
            _identifiers(builder, size)
            builder.cursor.skip(stored * (levels + 1) * 4, "norms of vectors")


def _form(builder: LayoutBuilder) -> str:
    code = builder.cursor.code()
    if code == "ilod":
        raise UnsupportedIndexError(Unsupported(f"{builder.name} with its vectors in another file"))
    if code == "il00":
        raise MalformedError("it was saved without its vectors")
    return code


def _unknown(builder: LayoutBuilder, code: str) -> UnsupportedIndexError:
    return UnsupportedIndexError(Unsupported(f"{builder.name} with lists of the form {code!r}"))


def _check_width(builder: LayoutBuilder, found: tuple[int, int], width: int) -> None:
    if found != (builder.lists, width):
        raise MalformedError(
            f"it has {found[0]} lists with {found[1]} bytes a vector where {builder.lists} with "
            f"{width} belong"
        )


def _identifiers(builder: LayoutBuilder, size: int) -> None:
    """Skips the identifiers of a list; if they are used as positions, checks their range."""
    if not builder.ids_are_positions:
        builder.cursor.skip(size * 8, "identifiers of vectors")
        return
    places = builder.cursor.values("<i8", size)
    if ((places < 0) | (places >= builder.vectors)).any():
        raise MalformedError(f"it has an identifier beyond its {builder.vectors} vectors")


def _sizes(builder: LayoutBuilder) -> list[int]:
    """Number of vectors in each list, as Python integers, whose sum cannot overflow."""
    form = builder.cursor.code()
    sizes = builder.cursor.array("<u8", "sizes of lists")
    held = None
    if form == "full" and len(sizes) == builder.lists:
        held = dict(enumerate(sizes.tolist()))
    elif form == "sprs" and len(sizes) % 2 == 0 and (sizes[::2] < builder.lists).all():
        held = dict(zip(sizes[::2].tolist(), sizes[1::2].tolist(), strict=True))
        held = held if 2 * len(held) == len(sizes) else None
    if held is None:
        raise MalformedError("the sizes of its lists make no sense")
    _check_sizes(builder, [held.get(place, 0) for place in range(builder.lists or 0)])
    return [held[place] for place in sorted(held)]


def _check_sizes(builder: LayoutBuilder, sizes: list[int]) -> None:
    """Checks the total size of the lists, and that links point into them."""
    total = sum(sizes)
    if total != builder.vectors:
        raise MalformedError(f"its lists hold {total} vectors where {builder.vectors} belong")
    links = builder.links
    if links is None or not len(links):
        return
    links = links[links < 1 << 63]  # the others belong to removed vectors
    lists, offsets = links >> 32, links & 0xFFFFFFFF
    if (lists >= len(sizes)).any() or (offsets >= np.array(sizes, np.uint64)[lists]).any():
        raise MalformedError("it has places of vectors that are in no list")
