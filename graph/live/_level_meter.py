"""Levels of blocks, for meters."""

from __future__ import annotations

import math

import numpy as np

FLOOR_DB = -120.0


def decibels(value: float) -> float:
    """Amplitude relative to full scale in dB, never below the floor."""
    return max(FLOOR_DB, 20 * math.log10(value)) if value > 0 else FLOOR_DB


class Level:
    """Peak and root mean square of the newest block, and samples at full scale so far.

    Attributes:
        peak: highest magnitude of the newest block.
        rms: root mean square of the newest block.
        clipped: samples at or beyond full scale so far.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        self.rms = 0.0
        self.clipped = 0

    def take(self, block: np.ndarray) -> None:
        """Measures ``[C, N]``."""
        self.peak = float(max(block.max(), -block.min()))
        flat = block.reshape(-1)
        self.rms = math.sqrt(float(flat @ flat) / flat.size)
        if self.peak >= 1.0:
            self.clipped += int((np.abs(block) >= 1.0).sum())
