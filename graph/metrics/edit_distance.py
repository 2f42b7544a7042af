"""Edit distance between two sequences of symbols, and the error rate that follows from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def edit_distance(reference: Sequence[object], hypothesis: Sequence[object]) -> int:
    """The least number of insertions, deletions and substitutions between two sequences.

    Source: V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and
    reversals", 1966; computed row by row, as R. A. Wagner and M. J. Fischer, 1974.
    """
    row = np.arange(len(hypothesis) + 1)
    for number, symbol in enumerate(reference, 1):
        unlike = np.array([symbol != other for other in hypothesis], bool)
        best = np.concatenate(([number], np.minimum(row[:-1] + unlike, row[1:] + 1)))
        # Insertions run along the row: each is one more than the best before it.
        row = np.minimum.accumulate(best - np.arange(len(best))) + np.arange(len(best))
    return int(row[-1])


def error_rate(reference: Sequence[object], hypothesis: Sequence[object]) -> float:
    """Edit distance divided by the length of the reference; NaN if the reference is empty."""
    if not len(reference):
        return float("nan")
    return edit_distance(reference, hypothesis) / len(reference)
