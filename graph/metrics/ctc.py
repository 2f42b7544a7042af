"""Greedy decoding of connectionist temporal classification (CTC)."""

from __future__ import annotations

import numpy as np


def collapse(best: np.ndarray, blank: int) -> np.ndarray:
    """Merges runs of equal symbols and removes blanks.

    Args:
        best: the most probable symbol of each frame, integers ``[frames]``.
        blank: number of the blank symbol.

    Returns:
        Integers ``[symbols]``.
    """
    first = np.append(True, best[1:] != best[:-1])
    return best[first & (best != blank)]
