"""Vectors that are sorted into lists: what all indexes with inverted lists have in a file."""

from __future__ import annotations

import numpy as np

from ._cursor import MalformedError
from ._index_layout import Draft, Strange, StrangeError

_LIST_BYTES = 128
"""What FAISS takes for a list, however empty."""
_BLOCKED = (1 << 64) - 1
"""The bytes of a vector, where these are in blocks."""


def inverted(draft: Draft) -> None:
    """What all indexes with inverted lists begin with."""
    count, draft.probes = draft.cursor.take("QQ")
    draft.lists = count
    draft.fits(count * _LIST_BYTES, "lists")
    coarse = draft.nested(True)
    if coarse.dimension != draft.dimension or (draft.trained and coarse.vectors != draft.lists):
        raise MalformedError(
            f"the {coarse.name} that sorts its vectors has {coarse.vectors} centres of "
            f"{coarse.dimension} dimensions where {draft.lists} of {draft.dimension} belong"
        )
    (form,) = draft.cursor.take("B")
    links = draft.cursor.array("<u8", "places of vectors")
    if form == 2:
        pairs = draft.cursor.count(16, "places of identifiers")
        links = np.append(links, draft.cursor.values("<u8", 2 * pairs)[1::2])
    draft.links = links


def lists_of_vectors(draft: Draft, width: int) -> None:
    """Passes over inverted lists: vectors of ``width`` bytes and their identifiers."""
    code = _form(draft)
    if code != "ilar":
        raise _unknown(draft, code)
    count, found = draft.cursor.take("QQ")
    _check_width(draft, (count, found), width)
    sizes = _sizes(draft)
    if not draft.placed:
        draft.cursor.skip(sum(sizes) * (width + 8), "vectors")
        return
    for size in sizes:
        draft.cursor.skip(size * width, "vectors")
        _identifiers(draft, size)


def lists_of_blocks(draft: Draft, width: int, block: int) -> None:
    """Passes over inverted lists whose vectors lie in blocks of ``block``, side by side."""
    code = _form(draft)
    if code != "ilbl":
        raise _unknown(draft, code)
    count, found, each, nbytes = draft.cursor.take("QQQQ")
    if found != _BLOCKED or each != block or nbytes % block:
        raise MalformedError(f"its lists have blocks of {each} vectors where {block} belong")
    _check_width(draft, (count, nbytes // block), width)
    sizes = []
    for _ in range(count):
        size = draft.cursor.count(8, "identifiers of vectors")
        _identifiers(draft, size)
        sizes.append(size)
        draft.cursor.skip_array(1, "bytes of vectors", -(-size // block) * nbytes)
    _check_sizes(draft, sizes)


def lists_of_levels(draft: Draft, width: int) -> None:
    """Passes over inverted lists of vectors that are cut into levels, and batches of them."""
    code = _form(draft)
    if code != "ilp2":
        raise _unknown(draft, code)
    count, found, levels, batch = draft.cursor.take("QQQQ")
    if (levels, batch) != (draft.levels, draft.batch):
        raise MalformedError(f"its lists have {levels} levels where {draft.levels} belong")
    _check_width(draft, (count, found), width)
    for size in _sizes(draft):
        if size:
            stored = -(-size // batch) * batch
            draft.cursor.skip(stored * width, "vectors")
            _identifiers(draft, size)
            draft.cursor.skip(stored * (levels + 1) * 4, "norms of vectors")


def _form(draft: Draft) -> str:
    code = draft.cursor.code()
    if code == "ilod":
        raise StrangeError(Strange(f"{draft.name} with its vectors in another file"))
    if code == "il00":
        raise MalformedError("it was saved without its vectors")
    return code


def _unknown(draft: Draft, code: str) -> StrangeError:
    return StrangeError(Strange(f"{draft.name} with lists of the form {code!r}"))


def _check_width(draft: Draft, found: tuple[int, int], width: int) -> None:
    if found != (draft.lists, width):
        raise MalformedError(
            f"it has {found[0]} lists with {found[1]} bytes a vector where {draft.lists} with "
            f"{width} belong"
        )


def _identifiers(draft: Draft, size: int) -> None:
    """Passes over those of a list; used as places, they must be in range."""
    if not draft.placed:
        draft.cursor.skip(size * 8, "identifiers of vectors")
        return
    places = draft.cursor.values("<i8", size)
    if ((places < 0) | (places >= draft.vectors)).any():
        raise MalformedError(f"it has an identifier beyond its {draft.vectors} vectors")


def _sizes(draft: Draft) -> list[int]:
    """How many vectors each list holds, in order; as Python's integers their sum cannot wrap."""
    form = draft.cursor.code()
    sizes = draft.cursor.array("<u8", "sizes of lists")
    held = None
    if form == "full" and len(sizes) == draft.lists:
        held = dict(enumerate(sizes.tolist()))
    elif form == "sprs" and len(sizes) % 2 == 0 and (sizes[::2] < draft.lists).all():
        held = dict(zip(sizes[::2].tolist(), sizes[1::2].tolist(), strict=True))
        held = held if 2 * len(held) == len(sizes) else None
    if held is None:
        raise MalformedError("the sizes of its lists make no sense")
    _check_sizes(draft, [held.get(place, 0) for place in range(draft.lists or 0)])
    return [held[place] for place in sorted(held)]


def _check_sizes(draft: Draft, sizes: list[int]) -> None:
    """Whether lists of these sizes hold what they should, and links lead into them."""
    total = sum(sizes)
    if total != draft.vectors:
        raise MalformedError(f"its lists hold {total} vectors where {draft.vectors} belong")
    links = draft.links
    if links is None or not len(links):
        return
    links = links[links < 1 << 63]  # the others are of vectors that were taken out
    lists, offsets = links >> 32, links & 0xFFFFFFFF
    if (lists >= len(sizes)).any() or (offsets >= np.array(sizes, np.uint64)[lists]).any():
        raise MalformedError("it has places of vectors that are in no list")
