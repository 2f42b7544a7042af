"""Where rounding decides which of two vectors of an index is a frame's last neighbour.

The two are equally far but for the last bits, and processors round differently, so that either one
is right. Where that happens is in the data, and found in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np

NEIGHBOURS = 8
"""That RVC blends."""
EXCHANGED = 1e-3
"""Sound: the largest difference that one of eight neighbours makes, exchanged for one as near."""
_ROUNDING = 8 * 2.0**-23
"""Of a distance: a few float32 operations, as in ``tests/tolerance.py``."""


def tied_blocks(index: Path, blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Which blocks have a frame with such a tie, bool ``[blocks]``.

    Args:
        index: a FAISS file of inverted lists.
        blocks: content features of each block, ``[frames, dim]``.
    """
    found = faiss.read_index(str(index))
    faiss.extract_index_ivf(found).make_direct_map()
    vectors = found.reconstruct_n(0, found.ntotal).astype(np.float64)
    return np.array([_has_tie(block.astype(np.float64), vectors) for block in blocks])


def _has_tie(frames: np.ndarray, vectors: np.ndarray) -> bool:
    apart = np.square(frames[:, None] - vectors).sum(-1)
    last, next_one = np.sort(apart, 1)[:, NEIGHBOURS - 1 : NEIGHBOURS + 1].T
    return bool((next_one - last < _ROUNDING * last).any())
