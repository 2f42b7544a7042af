"""How far two strings of symbols are apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def edits(said: Sequence[object], heard: Sequence[object]) -> int:
    """The least insertions, deletions and substitutions that make one of the other.

    Source: V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and
    reversals", 1966; row by row, as R. A. Wagner and M. J. Fischer, 1974.
    """
    row = np.arange(len(heard) + 1)
    for number, symbol in enumerate(said, 1):
        unlike = np.array([symbol != other for other in heard], bool)
        best = np.concatenate(([number], np.minimum(row[:-1] + unlike, row[1:] + 1)))
        # Insertions run along the row: each is one more than the best before it.
        row = np.minimum.accumulate(best - np.arange(len(best))) + np.arange(len(best))
    return int(row[-1])
