"""Whether borders of blocks can be heard: a click there is a corner in the waveform.

The second difference of a band-limited signal is small; a step or a corner makes it large for a
sample or two. Its energy at borders, over that within blocks, tells a seam from the signal.
"""

from __future__ import annotations

import math

import numpy as np

_AROUND = 2
"""Second differences that reach over a border."""


class BoundaryMetric:
    """Takes block after block."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._at = self._within = 0.0
        self._borders = self._values = 0

    def take(self, block: np.ndarray) -> None:
        """Looks at a block ``[C, N]`` and at its border with the one before."""
        inner = np.diff(block, 2)
        self._within += float(np.square(inner).sum())
        self._values += inner.size
        if self._last is not None:
            across = np.diff(np.concatenate((self._last, block[:, :_AROUND]), 1), 2)
            self._at += float(np.square(across).sum())
            self._borders += across.size
        self._last = block[:, -_AROUND:].copy()

    @property
    def decibels(self) -> float:
        """Energy at borders over energy elsewhere, in dB; 0 where nothing was heard."""
        if not self._at or not self._within:
            return 0.0
        return 10 * math.log10((self._at / self._borders) / (self._within / self._values))
