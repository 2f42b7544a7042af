"""Neighbour graphs in a FAISS file: HNSW, NSG and NN-descent.

FAISS follows their links without checks, at least in earlier versions, so all links are read and
checked here.
"""

from __future__ import annotations

import numpy as np

from ._cursor import MalformedError
from ._index_layout import LayoutBuilder

_MOST_EFFORT = 1 << 20
"""Largest number of search candidates; FAISS allocates memory for them."""
_FEWEST = 100
"""Fewest nodes of a graph by NN-descent."""


def hnsw_graph(builder: LayoutBuilder) -> None:
    """Checks an HNSW graph, which has several levels."""
    cursor = builder.cursor
    cursor.skip_array(8, "probabilities of levels")
    sizes = cursor.array("<i4", "sizes of levels").astype(np.int64)
    levels = cursor.array("<i4", "levels")
    offsets = cursor.array("<u8", "places of links").astype(np.int64)
    links = cursor.array("<i4", "links")
    entry, top, _, effort, _ = cursor.take("iiiii")
    if len(levels) != builder.vectors or len(offsets) != builder.vectors + 1:
        raise _wrong_node_count(len(levels), builder)
    if not builder.vectors:
        return
    sound = 1 <= effort <= _MOST_EFFORT and 0 <= entry < builder.vectors
    sound = sound and levels.min() >= 1 and levels.max() < len(sizes) and 0 <= top < levels[entry]
    sound = sound and sizes[0] == 0 and (np.diff(sizes) >= 0).all()
    sound = sound and offsets[0] == 0 and offsets[-1] == len(links)
    sound = sound and np.array_equal(np.diff(offsets), sizes[levels])
    sound = sound and links.min(initial=-1) >= -1 and links.max(initial=-1) < builder.vectors
    if not sound or not _levels_hold(sizes, levels, offsets, links):
        raise _inconsistent()


def _levels_hold(
    sizes: np.ndarray, levels: np.ndarray, offsets: np.ndarray, links: np.ndarray
) -> bool:
    """Whether all links on a level lead to nodes of that level."""
    for level in range(1, int(levels.max())):
        nodes = np.flatnonzero(levels > level)
        slots = offsets[nodes, None] + np.arange(sizes[level], sizes[level + 1])
        found = links[slots]
        if (levels[found[found >= 0]] <= level).any():
            return False
    return True


def nsg_graph(builder: LayoutBuilder) -> None:
    """Checks an NSG graph, whose lists of links end with -1."""
    cursor = builder.cursor
    cursor.take("iBiiii")  # how it was built
    nodes, most, _, _, effort, entry, built = cursor.take("iiiiiiB")
    if not built:
        if builder.vectors:
            raise _inconsistent()
        return
    if nodes != builder.vectors:
        raise _wrong_node_count(nodes, builder)
    # FAISS would never return if it searched for more nodes than there are.
    if not 1 <= effort <= nodes or not 0 <= entry < nodes or most < 1:
        raise _inconsistent()
    builder.check_memory(4 * nodes * most, "graph of neighbours")
    links = cursor.peek("<i4", nodes * (most + 1))
    ends = np.flatnonzero(links == -1)[:nodes]
    if len(ends) < nodes:
        raise MalformedError("it ends too early: its graph of neighbours goes on beyond it")
    links = links[: ends[-1] + 1]
    lengths = np.diff(ends, prepend=-1) - 1
    if lengths.max() > most or links.min() < -1 or links.max() >= nodes:
        raise _inconsistent()
    cursor.skip(links.nbytes, "graph of neighbours")


def descent_graph(builder: LayoutBuilder) -> None:
    """Checks an NN-descent graph, with the same number of links for every node."""
    cursor = builder.cursor
    nodes, dimension, each, _, _, _, _, effort, _, built = cursor.take("iiiiiiiiiB")
    links = cursor.array("<i4", "links")
    if not built:
        if builder.vectors:
            raise _inconsistent()
        return
    if nodes != builder.vectors:
        raise _wrong_node_count(nodes, builder)
    sound = dimension == builder.dimension and each >= 1 and len(links) == nodes * each
    # FAISS draws random start nodes, more than smaller graphs have; it does not build those.
    sound = sound and 0 <= effort < nodes and nodes > _FEWEST
    if not sound or links.min() < 0 or links.max() >= nodes:
        raise _inconsistent()


def _wrong_node_count(nodes: int, builder: LayoutBuilder) -> MalformedError:
    return MalformedError(f"its graph has {nodes} nodes for {builder.vectors} vectors")


def _inconsistent() -> MalformedError:
    return MalformedError("its graph of neighbours does not hold together")
