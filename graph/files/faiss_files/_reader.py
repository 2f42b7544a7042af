"""Reads the layout of a FAISS index, and checks the whole file on the way.

FAISS's own reader trusts what a file declares: released versions allocate what it says, follow the
links of graphs without a look, and crash. So every length here is compared with the others and with
the size of the file before FAISS reads it; vectors are skipped. The types are those that people's
files have and that ``voice make`` writes: any other is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ._coarse_graph import check_graph
from ._cursor import Cursor, MalformedError
from ._index_names import NAMES, WITHOUT_VECTORS
from ._quantizers import product_quantizer, scalar_quantizer, skip_transform
from .layout import L2, METRICS, Layout, UnsupportedError

_WIDEST = 65536
"""Largest dimension; far more than any content encoder has."""
_LIST_BYTES = 128
"""Memory of FAISS for an empty list in bytes."""
_SWELLS, _SPARE = 16, 1 << 26
"""Largest memory of all lists: bytes for each byte of the file, and bytes allowed for any file."""


class MissingVectorsError(MalformedError):
    """The lists hold fewer vectors than the header states: FAISS counts a NaN, and stores none."""


def read_layout(cursor: Cursor) -> Layout:
    """Reads the structure of the index at the cursor; of an unsupported type, the header alone.

    Raises:
        MalformedError: if it is inconsistent, or declares more data than there is.
    """
    head, code = _header(cursor, "it")
    try:
        return _index(cursor, head, code, (*_FLAT, *_INVERTED, "IxPT", "IxMp", "IxM2"))
    except UnsupportedError as error:
        return replace(head, unsupported=str(error), gives_vectors=error.gives_vectors)


def _header(cursor: Cursor, what: str) -> tuple[Layout, str]:
    """The common header of all indexes, and the code of the type."""
    code = cursor.code()
    if code not in NAMES:
        raise MalformedError(f"{what} begins with {code!r}, which is no index of FAISS's")
    metric = L2
    if code == "IxFP":
        dimension, _, _, vectors, trained = cursor.take("iQQqB")
    elif code.startswith("IB"):
        dimension, _, vectors, trained, _ = cursor.take("iiqBi")
    else:
        cursor.take("iiii" if code == "IxLa" else "")
        dimension, vectors, _, _, trained, metric = cursor.take("iqqqBi")
        cursor.take("f" if metric > L2 else "")
    if not 1 <= dimension <= _WIDEST:
        raise MalformedError(f"it says that its vectors have {dimension} dimensions")
    if vectors < 0 or trained > 1 or metric not in METRICS:
        raise MalformedError("the numbers in its header make no sense")
    return Layout(NAMES[code], dimension, vectors, bool(trained), metric), code


def _index(cursor: Cursor, head: Layout, code: str, allowed: tuple[str, ...]) -> Layout:
    """What follows a header, if the type is allowed at this place."""
    if code not in allowed:
        raise UnsupportedError(head.name, code not in WITHOUT_VECTORS)
    return _READERS[code](cursor, head)


def _within(cursor: Cursor, head: Layout, *allowed: str) -> Layout:
    """The index inside another one."""
    inner, code = _header(cursor, "an index inside it")
    try:
        return _index(cursor, inner, code, allowed)
    except UnsupportedError as error:
        text = f"{head.name} over {error}"
        raise UnsupportedError(text, error.gives_vectors) from None


def _flat(cursor: Cursor, head: Layout) -> Layout:
    """Uncompressed vectors."""
    cursor.skip_array(4, "values of vectors", head.vectors * head.dimension)
    return head


def _graph(cursor: Cursor, head: Layout) -> Layout:
    """A graph of several levels over uncompressed vectors."""
    check_graph(cursor, head.vectors)
    return _with_inner(head, _within(cursor, head, *_FLAT), head.dimension)


def _id_map(cursor: Cursor, head: Layout) -> Layout:
    """Identifiers for the vectors of an index."""
    found = _with_inner(head, _within(cursor, head, *_FLAT, *_INVERTED, "IxPT"), head.dimension)
    cursor.skip_array(8, "identifiers", head.vectors)
    return found


def _pre_transform(cursor: Cursor, head: Layout) -> Layout:
    """Linear transforms of the vectors before an index, such as OPQ."""
    (steps,) = cursor.take("i")
    width = head.dimension
    for _ in range(steps):
        wide_in, wide_out = skip_transform(cursor)
        if wide_in != width:
            raise MalformedError(f"it turns vectors of {wide_in} dimensions where {width} come")
        width = wide_out
    return _with_inner(head, _within(cursor, head, *_FLAT, *_INVERTED), width)


def _with_inner(head: Layout, inner: Layout, dimension: int) -> Layout:
    if (inner.vectors, inner.dimension) != (head.vectors, dimension):
        raise MalformedError(
            f"the {inner.name} in it holds {inner.vectors} vectors of {inner.dimension} dimensions "
            f"where {head.vectors} of {dimension} belong"
        )
    return replace(head, inner=inner)


# ---- inverted lists -----------------------------------------------------------------------------


def _inverted_flat(cursor: Cursor, head: Layout) -> Layout:
    found = _inverted(cursor, head)
    _skip_lists(cursor, found, head.dimension * 4)
    return found


def _inverted_scalar(cursor: Cursor, head: Layout, newer: str = "") -> Layout:
    found = _inverted(cursor, head)
    width = scalar_quantizer(cursor, head)
    _check_width(cursor.take("Q" + newer)[0], width)
    _skip_lists(cursor, found, width)
    return found


def _inverted_product(cursor: Cursor, head: Layout) -> Layout:
    found = _inverted(cursor, head)
    _, stated = cursor.take("BQ")
    width = product_quantizer(cursor, head)
    _check_width(stated, width)
    _skip_lists(cursor, found, width)
    return found


def _inverted(cursor: Cursor, head: Layout) -> Layout:
    """The common beginning: lists, probes, centres, and the table that finds a vector by its id."""
    lists, probes = cursor.take("QQ")
    if lists * _LIST_BYTES > _SPARE + _SWELLS * cursor.size:
        raise MalformedError(
            f"its lists would take {lists * _LIST_BYTES / 1e9:.3g} GB of memory, far more than the "
            "file"
        )
    coarse = _within(cursor, head, *_FLAT, "IHNf")
    if coarse.dimension != head.dimension or (head.trained and coarse.vectors != lists):
        raise MalformedError(
            f"the {coarse.name} that sorts its vectors has {coarse.vectors} centres of "
            f"{coarse.dimension} dimensions where {lists} of {head.dimension} belong"
        )
    (form,) = cursor.take("B")
    cursor.skip_array(8, "places of vectors")
    if form == 2:
        cursor.skip_array(16, "places of identifiers")
    return replace(head, lists=lists, probes=probes)


def _skip_lists(cursor: Cursor, found: Layout, width: int) -> None:
    """Inverted lists: vectors of ``width`` bytes and their identifiers."""
    code = cursor.code()
    if code == "il00":
        raise MalformedError("it was saved without its vectors")
    if code != "ilar":
        where = "with its vectors in another file" if code == "ilod" else f"with lists {code!r}"
        raise UnsupportedError(f"{found.name} {where}", code != "ilod")
    count, stored = cursor.take("QQ")
    if (count, stored) != (found.lists, width):
        raise MalformedError(
            f"it has {count} lists with {stored} bytes a vector where {found.lists} with {width} "
            "belong"
        )
    total = sum(_sizes(cursor, count))
    if total != found.vectors:
        kind = MissingVectorsError if total < found.vectors else MalformedError
        raise kind(f"its lists hold {total} vectors where {found.vectors} belong")
    cursor.skip(total * (width + 8), "vectors")


def _sizes(cursor: Cursor, lists: int) -> list[int]:
    """Sizes of the lists that hold something, as Python integers, whose sum cannot overflow."""
    form = cursor.code()
    sizes = cursor.array("<u8", "sizes of lists")
    if form == "full" and len(sizes) == lists:
        return sizes.tolist()
    places = sizes[::2].tolist()
    if form != "sprs" or len(sizes) % 2 or len({*places}) < len(places):
        raise MalformedError("the sizes of its lists make no sense")
    if any(place >= lists for place in places):
        raise MalformedError("the sizes of its lists make no sense")
    return sizes[1::2].tolist()


def _check_width(stated: int, width: int) -> None:
    if stated != width:
        raise MalformedError(f"it has {stated} bytes a vector where {width} belong")


_FLAT = ("IxF2", "IxFI", "IxFl")
_INVERTED = ("IwFl", "IwSQ", "IwSq", "IwPQ")
_READERS: dict[str, Callable[[Cursor, Layout], Layout]] = {
    **dict.fromkeys(_FLAT, _flat),
    "IHNf": _graph,
    "IxMp": _id_map,
    "IxM2": _id_map,
    "IxPT": _pre_transform,
    "IwFl": _inverted_flat,
    "IwSQ": _inverted_scalar,
    "IwSq": lambda cursor, head: _inverted_scalar(cursor, head, "B"),
    "IwPQ": _inverted_product,
}
"""Type code -> the reader of what follows the header."""
