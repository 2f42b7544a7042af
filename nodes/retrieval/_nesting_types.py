"""The types of FAISS index that are built around another one: what follows their headers."""

from __future__ import annotations

from . import _graphs as graphs
from ._cursor import MalformedError
from ._index_layout import Draft, Strange, StrangeError
from ._transforms import transform

_MOST_REFINED = 1000
"""Candidates for each vector that is asked for; FAISS takes memory for all of them."""
_MOST_ENTRIES = 1 << 16
"""Where a search of a graph may begin."""


def hnsw(draft: Draft) -> None:
    """A graph of several levels over an index."""
    graphs.hnsw_graph(draft)
    draft.holds(draft.nested(True))


def hnsw_panorama(draft: Draft) -> None:
    """The same, over vectors as they are, with the norms of what is left of them at each level."""
    (levels,) = draft.cursor.take("Q")
    draft.check_levels(levels, 1)
    draft.cursor.skip_array(4, "norms of vectors", draft.vectors * (levels + 1))
    hnsw(draft)
    if draft.inner[0].name != "IndexFlatL2":
        raise MalformedError(f"its graph is over {draft.inner[0].name} where IndexFlatL2 belongs")


def hnsw_rabit(draft: Draft) -> None:
    """The same, over vectors of a few bits a value."""
    hnsw(draft)
    draft.cursor.take("B")


def cagra(draft: Draft) -> None:
    """The same, as a GPU built it."""
    _, _, entries, numbers = draft.cursor.take("BBii")
    if not 1 <= entries <= _MOST_ENTRIES or numbers not in (0, 1, 2):
        raise MalformedError(f"a search of its graph would begin at {entries} vectors")
    hnsw(draft)


def nsg(draft: Draft) -> None:
    """A graph of one level over an index: NSG."""
    graphs.nsg_graph(draft)
    draft.holds(draft.nested(True))


def descent(draft: Draft) -> None:
    """A graph of one level over an index: NN-descent."""
    graphs.descent_graph(draft)
    draft.holds(draft.nested(True))


def mapped(draft: Draft) -> None:
    """Identifiers for the vectors of an index."""
    if draft.placed:
        raise StrangeError(Strange(f"{draft.name} inside another index"))
    draft.holds(draft.nested(False))
    draft.cursor.skip_array(8, "identifiers", draft.vectors)


def turned(draft: Draft) -> None:
    """Transforms of vectors in front of an index."""
    (steps,) = draft.cursor.take("i")
    width = draft.dimension
    for _ in range(steps):
        wide_in, wide_out = transform(draft.cursor)
        if wide_in != width:
            raise MalformedError(f"it turns vectors of {wide_in} dimensions where {width} come")
        width = wide_out
    draft.holds(draft.nested(draft.placed), width)


def refined(draft: Draft) -> None:
    """An index that finds candidates, and one that chooses among them."""
    draft.holds(draft.nested(True))
    draft.holds(draft.nested(True))
    (more,) = draft.cursor.take("f")
    if not 1 <= more <= _MOST_REFINED:
        raise MalformedError(f"it looks at {more:g} times as many vectors as it is asked for")
    if draft.inner[1].name == "IndexFlatL2Panorama":
        raise StrangeError(Strange("IndexRefine over a panorama, whose distances FAISS gets wrong"))
