"""Types of FAISS index that contain another one: readers of what follows the header."""

from __future__ import annotations

from . import _graphs as graphs
from ._cursor import MalformedError
from ._index_layout import LayoutBuilder, Unsupported, UnsupportedIndexError
from ._transforms import transform

_MOST_REFINED = 1000
"""Largest number of candidates for each requested vector; FAISS allocates memory for them."""
_MOST_ENTRIES = 1 << 16
"""Largest number of entry points of a graph search."""


def hnsw(builder: LayoutBuilder) -> None:
    """A graph of several levels over an index."""
    graphs.hnsw_graph(builder)
    builder.add_inner(builder.nested(True))


def hnsw_panorama(builder: LayoutBuilder) -> None:
    """The same over uncompressed vectors, with norms of the remainder at each level."""
    (levels,) = builder.cursor.take("Q")
    builder.check_levels(levels, 1)
    builder.cursor.skip_array(4, "norms of vectors", builder.vectors * (levels + 1))
    hnsw(builder)
    if builder.inner[0].name != "IndexFlatL2":
        raise MalformedError(f"its graph is over {builder.inner[0].name} where IndexFlatL2 belongs")


def hnsw_rabit(builder: LayoutBuilder) -> None:
    """The same over RaBitQ vectors."""
    hnsw(builder)
    builder.cursor.take("B")


def cagra(builder: LayoutBuilder) -> None:
    """The same, as a GPU built it."""
    _, _, entries, numbers = builder.cursor.take("BBii")
    if not 1 <= entries <= _MOST_ENTRIES or numbers not in (0, 1, 2):
        raise MalformedError(f"a search of its graph would begin at {entries} vectors")
    hnsw(builder)


def nsg(builder: LayoutBuilder) -> None:
    """A graph of one level over an index: NSG."""
    graphs.nsg_graph(builder)
    builder.add_inner(builder.nested(True))


def descent(builder: LayoutBuilder) -> None:
    """A graph of one level over an index: NN-descent."""
    graphs.descent_graph(builder)
    builder.add_inner(builder.nested(True))


def id_map(builder: LayoutBuilder) -> None:
    """Identifiers for the vectors of an index."""
    if builder.ids_are_positions:
        raise UnsupportedIndexError(Unsupported(f"{builder.name} inside another index"))
    builder.add_inner(builder.nested(False))
    builder.cursor.skip_array(8, "identifiers", builder.vectors)


def pre_transform(builder: LayoutBuilder) -> None:
    """Transforms of the vectors before an index."""
    (steps,) = builder.cursor.take("i")
    width = builder.dimension
    for _ in range(steps):
        wide_in, wide_out = transform(builder.cursor)
        if wide_in != width:
            raise MalformedError(f"it turns vectors of {wide_in} dimensions where {width} come")
        width = wide_out
    builder.add_inner(builder.nested(builder.ids_are_positions), width)


def refine(builder: LayoutBuilder) -> None:
    """An index that finds candidates, and a second one that ranks them."""
    builder.add_inner(builder.nested(True))
    builder.add_inner(builder.nested(True))
    (more,) = builder.cursor.take("f")
    if not 1 <= more <= _MOST_REFINED:
        raise MalformedError(f"it looks at {more:g} times as many vectors as it is asked for")
    if builder.inner[1].name == "IndexFlatL2Panorama":
        raise UnsupportedIndexError(
            Unsupported("IndexRefine over a panorama, whose distances FAISS gets wrong")
        )
