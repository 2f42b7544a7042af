"""Boundary metric: measures whether borders of blocks click.

The second difference of a band-limited signal is small. A step or a corner in the waveform makes it
large for a sample or two. The metric is its energy at block borders over its energy within blocks.
"""

from __future__ import annotations

import math

import numpy as np

_AROUND = 2
"""Samples before and after a border of which second differences reach across it."""


class BoundaryMetric:
    """Measures successive blocks."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._at = self._within = 0.0
        self._borders = self._values = 0

    def take(self, block: np.ndarray) -> None:
        """Measures a block ``[C, N]`` and its border with the previous one."""
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
        """Energy at borders over energy within blocks, in dB; 0 if either is zero."""
        if not self._at or not self._within:
            return 0.0
        return 10 * math.log10((self._at / self._borders) / (self._within / self._values))
