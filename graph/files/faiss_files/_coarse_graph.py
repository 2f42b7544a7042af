"""Checks the HNSW graph of a coarse quantizer in a FAISS file.

FAISS follows its links without checks, at least in earlier versions, so all of them are read.
"""

from __future__ import annotations

import numpy as np

from ._cursor import Cursor, MalformedError

_MOST_EFFORT = 1 << 20
"""Largest number of search candidates; FAISS allocates memory for them."""
_MOST_LEVELS = 64
"""Far more than a graph of any size has: each level holds a part of the one below it."""


def check_graph(cursor: Cursor, nodes: int) -> None:
    """Reads a graph over ``nodes`` vectors.

    Raises:
        MalformedError: if a link, a level or the entry point is not one of them.
    """
    cursor.skip_array(8, "probabilities of levels")
    sizes = cursor.array("<i4", "sizes of levels").astype(np.int64)
    levels = cursor.array("<i4", "levels")
    offsets = cursor.array("<u8", "places of links").astype(np.int64)
    links = cursor.array("<i4", "links")
    entry, top, _, effort, _ = cursor.take("iiiii")
    if len(levels) != nodes or len(offsets) != nodes + 1:
        raise MalformedError(f"its graph has {len(levels)} nodes for {nodes} vectors")
    if not nodes:
        return
    sound = 1 <= effort <= _MOST_EFFORT and 0 <= entry < nodes
    sound = sound and levels.min() >= 1 and levels.max() < min(len(sizes), _MOST_LEVELS)
    sound = sound and 0 <= top < levels[entry]
    sound = sound and sizes[0] == 0 and (np.diff(sizes) >= 0).all()
    sound = sound and offsets[0] == 0 and offsets[-1] == len(links)
    sound = sound and np.array_equal(np.diff(offsets), sizes[levels])
    sound = sound and links.min(initial=-1) >= -1 and links.max(initial=-1) < nodes
    if not sound or not _levels_hold(sizes, levels, offsets, links):
        raise MalformedError("its graph of neighbours does not hold together")


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
